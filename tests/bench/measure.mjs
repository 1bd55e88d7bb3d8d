/** What all benchmarks share: medians, and measuring several in turn. */

/** @param {number[]} values */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/**
 * Measures each subject once, then each once more, and so on, so that what disturbs the machine for a while disturbs
 * all alike; the median of each figure.
 *
 * @template {Record<string, number>} Figures
 * @param {Record<string, () => Promise<Figures> | Figures>} subjects by name
 * @param {number} rounds
 * @param {(text: string) => void} [tell] progress
 * @returns {Promise<Record<string, Figures>>}
 */
export async function inTurn(subjects, rounds, tell = () => {}) {
  /** @type {Record<string, Figures[]>} */
  const measured = {};
  for (let round = 1; round <= rounds; round++) {
    for (const [name, measure] of Object.entries(subjects)) {
      tell(`${name}, ${round} of ${rounds}`);
      (measured[name] ??= []).push(await measure());
    }
  }
  return Object.fromEntries(
    Object.entries(measured).map(([name, all]) => [
      name,
      /** @type {Figures} */ (
        Object.fromEntries(Object.keys(all[0]).map((figure) => [figure, median(all.map((one) => one[figure]))]))
      ),
    ])
  );
}
