/** How long many requests took, in little memory: counts by tenths of a millisecond. */

const PER_MS = 10;
const MOST_MS = 10_000;

export function createLatencies() {
  const counts = new Uint32Array(MOST_MS * PER_MS + 1);
  let total = 0;
  return {
    /** @param {number} ms */
    add(ms) {
      counts[Math.min(counts.length - 1, Math.ceil(ms * PER_MS))] += 1;
      total += 1;
    },
    /** Not exceeded by this share of them, in ms; NaN without any. @param {number} share */
    percentile(share) {
      let left = Math.ceil(total * share);
      for (const [tenths, count] of counts.entries()) {
        left -= count;
        if (left <= 0 && total > 0) return tenths / PER_MS;
      }
      return NaN;
    },
  };
}
