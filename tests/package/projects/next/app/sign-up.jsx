'use client';

import { analytics } from 'munchkin-shim';

export function SignUp() {
  const signUp = () => {
    analytics.track('Signed up', { plan: 'pro' });
    analytics.identify('1234', { email: 'ada@example.com', name: 'Ada Lovelace' });
  };
  return <button onClick={signUp}>Sign up</button>;
}
