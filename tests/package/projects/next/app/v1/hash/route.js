import { cookies } from 'next/headers';
import { createSigner } from 'munchkin-shim/signer';

/** Whoever has the cookie is signed in. */
const userOf = async () => {
  const email = (await cookies()).get('user')?.value;
  return email && { email };
};

let signer;

export function POST(request) {
  // At the first request: next build imports this too, where there is no key.
  signer ??= createSigner({
    privateKey: process.env.MARKETO_API_PRIVATE_KEY,
    authorize: async (request, email) => (await userOf(request))?.email === email,
  });
  return signer.handle(request);
}
