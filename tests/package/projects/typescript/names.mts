/** The names of types that each entry has, so that programs need not work them out. */

import type { Analytics, Options, Result } from 'munchkin-shim';
import type { Analytics as ForAnalytics, Options as AnalyticsOptions } from 'munchkin-shim/analytics';
import type { Core, ErrorResult, IdentifyRequest, LeadResult, PageRequest, TrackRequest, VisitResult } from 'munchkin-shim/core';
import type { Analytics as ForRudderStack, Options as RudderStackOptions } from 'munchkin-shim/rudderstack';
import type { Analytics as ForSegment, Options as SegmentOptions } from 'munchkin-shim/segment';
import type { Authorize, Signer, SignerOptions, TokenIssuer, TokenIssuerOptions } from 'munchkin-shim/signer';
import type { Lead, Simulator, SimulatorOptions, WebEvent } from 'munchkin-shim/simulator';
import type { Analytics as Slim, ModuleSource, Options as SlimOptions, Result as SlimResult } from 'munchkin-shim/slim';
import type { SnippetOptions } from 'munchkin-shim/snippet';

export const options: Options = { server: 'https://events.example.com', storage: 'memory' };
export const snippet: SnippetOptions = { ...options, src: '/munchkin-shim.js' };
export const others: [AnalyticsOptions, RudderStackOptions, SegmentOptions, SlimOptions] = [options, options, options, options];

export const sent = async (analytics: Analytics): Promise<boolean> => {
  const result: Result = await analytics.page();
  return result.sent;
};
export const each = (one: ForAnalytics, other: ForRudderStack, third: ForSegment, slim: Slim) => [one, other, third, slim].map(sent);
export const slimSent = ({ sent }: SlimResult): boolean => sent;
export const source: ModuleSource = '/munchkin_shim.wasm';

export const requests: [PageRequest, TrackRequest, IdentifyRequest] = [{ url: '/' }, { event: 'Signed up' }, { userId: '1' }];
export const visit = (core: Core): VisitResult | LeadResult | ErrorResult => core.page(requests[0]);

const authorize: Authorize = (_, email) => email === 'ada@example.com';
export const signing: SignerOptions = { privateKey: 'fortesting', authorize };
export const issuing: TokenIssuerOptions = { secret: 'x'.repeat(32) };
export const hash = (signer: Signer): string => signer.hash('ada@example.com');
export const token = (issuer: TokenIssuer): Promise<string> => issuer.issue('ada@example.com');

export const marketo: SimulatorOptions = { associateLead: 'withdrawn' };
export const events = ({ events }: Simulator): WebEvent[] => events;
export const lead = ({ leads }: Simulator): Lead | undefined => leads.get('ada@example.com');
