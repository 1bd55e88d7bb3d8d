/**
 * Stand-ins for consent platforms, each with the part of its public API that web/docs/consent.md uses, as documented. They
 * are called on the page.
 *
 * `load` is the platform's script: it knows the answer of an earlier page, or none. `answer` is the visitor's click.
 */

/** @typedef {{heading: string, index?: number, stub?: string, load: string, answer: string}} Platform */

/** Each text is the body of a function of `yes`: true, false, or (in load) undefined. @type {Platform[]} */
export const PLATFORMS = [
  {
    heading: 'OneTrust',
    load: `
      window.otListeners = [];
      window.otSet = (yes) => { window.OnetrustActiveGroups = yes ? ',C0001,C0004,' : ',C0001,'; };
      window.otClosed = yes !== undefined;
      window.OneTrust = {
        IsAlertBoxClosed: () => otClosed,
        GetDomainData: () => ({ ShowAlertNotice: true }),
        OnConsentChanged: (listener) => otListeners.push(listener),
      };
      otSet(yes);
      OptanonWrapper();`,
    answer: `
      otSet(yes);
      window.otClosed = true;
      OptanonWrapper();
      otListeners.forEach((listener) => listener(new CustomEvent('consent.onetrust', { detail: [] })));`,
  },
  {
    heading: 'Cookiebot',
    load: `
      window.Cookiebot = { consent: { necessary: true, marketing: !!yes } };
      if (yes !== undefined) dispatchEvent(new Event(yes ? 'CookiebotOnAccept' : 'CookiebotOnDecline'));`,
    answer: `
      Cookiebot.consent.marketing = yes;
      dispatchEvent(new Event(yes ? 'CookiebotOnAccept' : 'CookiebotOnDecline'));`,
  },
  {
    heading: 'Usercentrics',
    load: `
      window.ucTell = (given, type) => dispatchEvent(new CustomEvent('UC_CONSENT', { detail: {
        consent: { type, status: given ? 'ALL_ACCEPTED' : 'ALL_DENIED' },
        services: {
          a1: { name: 'Usercentrics', consent: { given: true, type: 'IMPLICIT' } },
          b2: { name: 'Marketo', consent: { given, type } },
        },
        categories: {},
      } }));
      ucTell(!!yes, yes === undefined ? 'IMPLICIT' : 'EXPLICIT');`,
    answer: `ucTell(yes, 'EXPLICIT');`,
  },
  {
    heading: 'Usercentrics',
    index: 1,
    load: `
      window.ucTell = (given, type, action) => dispatchEvent(new CustomEvent('ucEvent', { detail: {
        event: 'consent_status', action, type, Marketo: given, ucCategory: { marketing: given },
      } }));
      dispatchEvent(new CustomEvent('ucEvent', { detail: { event: 'other' } }));
      ucTell(!!yes, yes === undefined ? 'implicit' : 'explicit', 'onInitialPageLoad');`,
    answer: `ucTell(yes, 'explicit', yes ? 'onAcceptAllServices' : 'onDenyAllServices');`,
  },
  {
    heading: 'Didomi',
    load: `
      window.didomiYes = yes;
      window.Didomi = {
        shouldUserStatusBeCollected: () => didomiYes === undefined,
        getCurrentUserStatus: () => ({ vendors: { 'c:marketo': { id: 'c:marketo', enabled: !!didomiYes } } }),
      };
      window.didomiOnReady.forEach((callback) => callback(Didomi));`,
    answer: `
      window.didomiYes = yes;
      window.didomiEventListeners.filter(({ event }) => event === 'consent.changed').forEach(({ listener }) => listener({}));`,
  },
  {
    heading: 'Osano',
    // Its script is the first on the page.
    stub: `
      const listeners = [];
      window.osanoTell = (type, consent) => listeners.filter((each) => each.type === type).forEach((each) => each.listener(consent));
      window.Osano = { cm: { addEventListener: (type, listener) => listeners.push({ type, listener }) } };`,
    load: `osanoTell('osano-cm-initialized', yes === undefined ? undefined : { ESSENTIAL: 'ACCEPT', MARKETING: yes ? 'ACCEPT' : 'DENY' });`,
    answer: `osanoTell('osano-cm-consent-saved', { ESSENTIAL: 'ACCEPT', MARKETING: yes ? 'ACCEPT' : 'DENY' });`,
  },
  {
    heading: 'Google Consent Mode',
    stub: `
      window.dataLayer = window.dataLayer || [];
      window.gtag = function () { dataLayer.push(arguments); };
      gtag('js', new Date());
      gtag('consent', 'default', { ad_storage: 'denied', analytics_storage: 'denied', wait_for_update: 500 });`,
    load: `
      dataLayer.push({ event: 'gtm.js' });
      if (yes !== undefined) gtag('consent', 'update', { ad_storage: yes ? 'granted' : 'denied' });`,
    answer: `gtag('consent', 'update', { ad_storage: yes ? 'granted' : 'denied', ad_user_data: 'denied' });`,
  },
  {
    heading: 'IAB TCF 2.2',
    // The stub keeps what is asked until the platform is there.
    stub: `
      const asked = [];
      window.__tcfapi = (...args) => asked.push(args);
      window.tcfAsked = asked;`,
    load: `
      const callbacks = [];
      window.tcfTell = (eventStatus, yes) => callbacks.forEach((callback) => callback({
        eventStatus, gdprApplies: true, listenerId: 1, purpose: { consents: yes ? { 1: true, 3: true, 7: true } : { 1: yes } },
      }, true));
      window.__tcfapi = (command, version, callback) => {
        if (command === 'addEventListener' && version === 2) callbacks.push(callback);
      };
      tcfAsked.forEach((args) => __tcfapi(...args));
      tcfTell(yes === undefined ? 'cmpuishown' : 'tcloaded', !!yes);`,
    answer: `tcfTell('useractioncomplete', yes);`,
  },
];
