'use client';

import { analytics } from 'munchkin-shim';
import { usePathname } from 'next/navigation';
import { useEffect } from 'react';

/** Every route is a page: the first one that is opened, and those that links lead to. */
export function Tracking({ munchkinId, ...options }) {
  const pathname = usePathname();

  useEffect(() => analytics.load(munchkinId, options), []);

  useEffect(() => {
    analytics.page();
  }, [pathname]);

  return null;
}
