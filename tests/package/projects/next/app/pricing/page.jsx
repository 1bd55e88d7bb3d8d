import { SignUp } from '../sign-up.jsx';

export default function Pricing() {
  return <SignUp />;
}
