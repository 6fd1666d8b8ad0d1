// What customers do with an answer, told to the shop so that its search gets better.

import { ask } from "./api.js";

/**
 * Tell of a click or of a wrong match; that it could not be told is no trouble of the customer's.
 *
 * @param {"click"|"cart"|"wrong_match"} type
 * @param {{requestId: string, productId: string, item: number, rank: number}} where
 */
export function tellEvent(type, { requestId, productId, item, rank }) {
  if (!/^[A-Za-z0-9._-]{1,64}$/.test(requestId ?? "")) return Promise.resolve();
  return ask("v1/events", {
    method: "POST",
    json: { type, request_id: requestId, product_id: productId, item, rank },
  }).catch(() => {});
}
