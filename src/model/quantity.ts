/** The grammar of `resource.Quantity`, without negative amounts. `K` and `ki` are no units. */
const QUANTITY = /^\+?(\d+\.?\d*|\.\d+)(?:([KMGTPE])i|([numkMGTPE])|[eE]([+-]?\d+))?$/;
const DECIMAL_UNITS: { readonly [unit: string]: number } = { n: -3, u: -2, m: -1, k: 1, M: 2, G: 3, T: 4, P: 5, E: 6 };

/** Whether a text is a quantity of Kubernetes that is not negative. */
export function isQuantity(text: string): boolean {
  return QUANTITY.test(text);
}

/** A quantity of Kubernetes as a number: bytes of memory (`512Mi`), or CPUs (`100m`). */
export function amountOf(quantity: string): number {
  const [, digits, binary, decimal, exponent] = QUANTITY.exec(quantity)!;
  if (binary !== undefined) return Number(digits) * 1024 ** ('KMGTPE'.indexOf(binary) + 1);
  if (exponent !== undefined) return Number(`${digits}e${exponent}`);
  const thousands = decimal === undefined ? 0 : DECIMAL_UNITS[decimal];
  return thousands < 0 ? Number(digits) / 1000 ** -thousands : Number(digits) * 1000 ** thousands;
}
