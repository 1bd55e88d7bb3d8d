/** Whoever has the cookie is signed in. */
export async function userOf(request) {
  const [, email] = /user=([^;]*)/.exec(request.headers.get('cookie')) || [];
  return email && { email };
}
