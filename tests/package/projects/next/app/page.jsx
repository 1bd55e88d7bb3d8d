import { analytics } from 'munchkin-shim';
import Link from 'next/link';

/** Runs on the server only, where calls do nothing, and say so. */
export default async function Home() {
  const result = await analytics.page();
  return (
    <main>
      <output>{result.error}</output>
      <Link href="/pricing">Pricing</Link>
    </main>
  );
}
