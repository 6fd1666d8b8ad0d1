// Numbers in words: prices as the shop's locale writes them, and how sure a match is.

const root = document.documentElement.dataset;

/**
 * Write a price as the shop's locale does.
 *
 * @param {string|null} price As feeds write it: `49.90 EUR`, or `49.90` without a currency.
 */
export function priceText(price, locale = root.locale, usual = root.currency) {
  const found = /^(\d+(?:\.\d+)?)(?: ([A-Z]{3}))?$/.exec(price ?? "");
  if (!found) return price ?? "";
  const amount = Number(found[1]);
  const currency = found[2] || usual;
  try {
    if (currency) return new Intl.NumberFormat(locale, { style: "currency", currency }).format(amount);
    return new Intl.NumberFormat(locale, { minimumFractionDigits: 2 }).format(amount);
  } catch {
    return price;
  }
}

/** Write a share, 0 to 1, in percent; never "100 %" of what is not whole, nor "0 %". */
export function percentText(share, locale = root.locale) {
  const whole = share >= 1 ? 1 : Math.min(0.99, Math.max(0.01, share));
  const text = new Intl.NumberFormat(locale, { style: "percent" }).format(whole);
  return share < 0.01 ? `< ${text}` : text;
}

const SURE = [
  [0.9, "Almost certain"],
  [0.65, "Very likely"],
  [0.35, "Quite likely"],
  [0.1, "Possible"],
  [0.01, "Unlikely"],
  [0, "Very unlikely"],
];

/** Say in words how probable it is that a match is the product. */
export function sureText(confidence) {
  return SURE.find(([least]) => confidence >= least)[1];
}

/** Write seconds as a player does: `1:05`. */
export function timeText(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

/** "1 item", "3 items". */
export function countText(count, one, many = `${one}s`) {
  return `${count} ${count === 1 ? one : many}`;
}
