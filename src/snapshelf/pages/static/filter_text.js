// Chosen filters as the API's filter, and as a page's address.

/** Nothing chosen. */
export const NONE = Object.freeze({ category: "", brands: [], least: null, most: null, currency: "" });

/**
 * Write what is chosen as the API's filter.
 *
 * @returns {string} "" where nothing is.
 */
export function filterText({ category, brands, least, most, currency }) {
  const parts = [];
  const money = currency ? ` ${currency}` : "";
  if (category) parts.push(`category=${quoted(category)}`);
  if (brands.length) parts.push(`brand=${brands.map(quoted).join("|")}`);
  if (least !== null) parts.push(`price>=${least}${money}`);
  if (most !== null) parts.push(`price<=${most}${money}`);
  return parts.join(",");
}

/** How many filters are chosen. */
export function countChosen({ category, brands, least, most }) {
  return (category ? 1 : 0) + brands.length + (least !== null || most !== null ? 1 : 0);
}

/** Read what is chosen from an address's query. */
export function readFilters(query) {
  const number = (name) => {
    const value = query.get(name);
    return value !== null && /^\d{1,9}(\.\d{1,4})?$/.test(value) ? Number(value) : null;
  };
  return {
    category: query.get("category") ?? "",
    brands: query.getAll("brand").slice(0, 50),
    least: number("least"),
    most: number("most"),
    currency: /^[A-Za-z]{3}$/.test(query.get("currency") ?? "") ? query.get("currency") : "",
  };
}

/** Write what is chosen into an address's query. */
export function writeFilters(query, { category, brands, least, most, currency }) {
  for (const name of ["category", "brand", "least", "most", "currency"]) query.delete(name);
  if (category) query.set("category", category);
  for (const brand of brands) query.append("brand", brand);
  if (least !== null) query.set("least", least);
  if (most !== null) query.set("most", most);
  if (currency && (least !== null || most !== null)) query.set("currency", currency);
}

function quoted(value) {
  return `"${value.replace(/[\\"]/g, "\\$&")}"`;
}
