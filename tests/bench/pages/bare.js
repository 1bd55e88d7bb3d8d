/** What somebody writes by hand: Munchkin's own snippet, and the hash asked for once it is there. */

const page = /** @type {any} */ (window);
const { munchkinUrl, server, munchkinId, visitor } = page.bench;

const script = document.createElement('script');
script.async = true;
script.src = munchkinUrl;
script.onload = async () => {
  page.Munchkin.init(munchkinId);
  const { email, firstName, lastName, company, ...others } = visitor.traits;
  const answer = await fetch(`${server}/v1/hash`, { method: 'POST', body: JSON.stringify({ email }) });
  const { hash } = await answer.json();
  const fields = { Email: email, FirstName: firstName, LastName: lastName, Company: company, ...others };
  page.Munchkin.munchkinFunction('associateLead', fields, hash);
};
document.head.append(script);
