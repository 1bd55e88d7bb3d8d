import { cookies } from 'next/headers';

/** Whoever has the cookie is signed in. */
export async function userOf() {
  const email = (await cookies()).get('user')?.value;
  return email && { email };
}
