/**
 * @typedef {object} MarketoForm            of the documented methods, those that need no jQuery
 * @property {() => number} getId
 * @property {() => Record<string, string>} getValues
 * @property {(values: Record<string, unknown>) => void} setValues  of fields that the form has
 * @property {(values?: Record<string, unknown>) => Record<string, string> | void} vals  one or the other of these two
 * @property {(values: Record<string, unknown>) => void} addHiddenFields  or changes those that are there
 * @property {() => boolean} validate
 * @property {(submittable?: boolean) => boolean} submittable
 * @property {() => MarketoForm} submit
 * @property {(callback: (valid: boolean) => void) => MarketoForm} onValidate
 * @property {(callback: FormCallback) => MarketoForm} onSubmit
 * @property {(callback: SuccessCallback) => MarketoForm} onSuccess
 */

/** @typedef {(values: Record<string, string>, followUpUrl: string) => boolean | void} SuccessCallback  false: stay */

/** @typedef {(form: MarketoForm) => void} FormCallback */

/**
 * @typedef {object} FormsLibrary
 * @property {(baseUrl: string, munchkinId: string, formId: number | string, callback?: FormCallback) => void} loadForm
 * @property {(formId: number | string) => MarketoForm | undefined} getForm
 * @property {() => MarketoForm[]} allForms
 * @property {(callback: FormCallback) => FormsLibrary} whenReady
 */

/** @typedef {{Id: number, Vid: number, SubmitLabel: string}} FormDescriptor  of a form without fields of its own */

/**
 * Forms 2.0, served as /js/forms2/js/forms2.min.js. It is sent to the page as text and called there, so it may use
 * nothing from outside its own body.
 *
 * Marketo's posts from a hidden frame of its own origin and has styles; the request is the same.
 */
export function installForms() {
  const page = /** @type {{MktoForms2?: FormsLibrary, Munchkin?: any}} */ (/** @type {unknown} */ (window));
  // Marketo's library, too, notes the page once and for all.
  const pageUrl = location.href;
  /** @type {MarketoForm[]} */
  const ready = [];
  /** @type {FormCallback[]} */
  const readyCallbacks = [];
  let requests = 0;

  /** @type {FormsLibrary['loadForm']} */
  function loadForm(baseUrl, munchkinId, formId, callback) {
    const base = baseUrl.replace(/\/+$/, '');
    const name = `mktoFormsCallback${Date.now()}_${++requests}`;
    const query = new URLSearchParams({ munchkinId, form: String(formId), url: pageUrl, callback: name });
    const request = document.createElement('script');
    request.src = `${base}/index.php/form/getForm?${query}`;
    const globals = /** @type {Record<string, any>} */ (/** @type {unknown} */ (window));
    globals[name] = (/** @type {FormDescriptor} */ descriptor) => {
      const form = createForm(base, descriptor);
      form.addHiddenFields({ munchkinId });
      callback?.(form);
      ready.push(form);
      for (const readyCallback of [...readyCallbacks]) readyCallback(form);
    };
    const end = () => {
      delete globals[name];
      request.remove();
    };
    request.onload = end;
    request.onerror = () => {
      end();
      console.error(`MktoForms2: form ${formId} could not be loaded.`);
    };
    document.head.append(request);
  }

  /**
   * @param {string} base
   * @param {FormDescriptor} descriptor
   * @returns {MarketoForm}
   */
  function createForm(base, descriptor) {
    const element = draw(descriptor);
    /** @type {((valid: boolean) => void)[]} */
    const validateCallbacks = [];
    /** @type {FormCallback[]} */
    const submitCallbacks = [];
    /** @type {SuccessCallback[]} */
    const successCallbacks = [];
    let isSubmittable = true;
    let isSubmitting = false;

    /** @param {string} name */
    const fieldOf = (name) => [...element.querySelectorAll('input')].find((input) => input.name === name);

    function getValues() {
      return Object.fromEntries([...element.querySelectorAll('input')].map(({ name, value }) => [name, value]));
    }

    /** @param {Record<string, unknown>} values */
    function setValues(values) {
      for (const [name, value] of Object.entries(values)) {
        const field = fieldOf(name);
        if (field) field.value = String(value);
      }
    }

    /** @param {Record<string, unknown>} values */
    function addHiddenFields(values) {
      for (const name of Object.keys(values).filter((name) => !fieldOf(name))) {
        element.append(Object.assign(document.createElement('input'), { type: 'hidden', name }));
      }
      setValues(values);
    }

    function validate() {
      const isValid = element.checkValidity();
      for (const callback of validateCallbacks) callback(isValid);
      return isValid;
    }

    function submit() {
      if (isSubmitting || !validate() || !isSubmittable) return form;
      for (const callback of submitCallbacks) callback(form);
      isSubmitting = true;
      // Nobody on the page hears of a failure: the visitor is shown a message beside the button.
      post().catch(() => {}).finally(() => {
        isSubmitting = false;
      });
      return form;
    }

    async function post() {
      page.Munchkin?.createTrackingCookie?.(true);
      const cookie = document.cookie.split('; ').find((pair) => pair.startsWith('_mkto_trk='));
      const values = getValues();
      const body = new URLSearchParams({
        ...values,
        formid: String(descriptor.Id),
        formVid: String(descriptor.Vid),
        ...(cookie && values._mkt_trk === undefined ? { _mkt_trk: decodeURIComponent(cookie.slice(10)) } : {}),
        _mktoReferrer: pageUrl,
      });
      const response = await fetch(`${base}/index.php/leadCapture/save2`, { method: 'POST', body });
      const answer = await response.json();
      if (!answer.formId) return;
      const url = new URL(answer.followUpUrl || location.href, location.href);
      url.searchParams.set('aliId', answer.aliId);
      const results = successCallbacks.map((callback) => callback(values, url.href));
      if (!results.includes(false)) location.assign(url.href);
    }

    element.addEventListener('submit', (event) => {
      event.preventDefault();
      submit();
    });

    /** @type {MarketoForm} */
    const form = {
      getId: () => descriptor.Id,
      getValues,
      setValues,
      vals: (values) => (values ? setValues(values) : getValues()),
      addHiddenFields,
      validate,
      submittable: (wanted) => (isSubmittable = wanted ?? isSubmittable),
      submit,
      onValidate: (callback) => (validateCallbacks.push(callback), form),
      onSubmit: (callback) => (submitCallbacks.push(callback), form),
      onSuccess: (callback) => (successCallbacks.push(callback), form),
    };
    return form;
  }

  /**
   * Draws the form into its element; a page without one gets a form that is nowhere to be seen.
   *
   * @param {FormDescriptor} descriptor
   */
  function draw({ Id, SubmitLabel }) {
    const found = document.getElementById(`mktoForm_${Id}`);
    const element = found instanceof HTMLFormElement ? found : document.createElement('form');
    element.classList.add('mktoForm');
    element.append(Object.assign(document.createElement('button'), { type: 'submit', textContent: SubmitLabel }));
    return element;
  }

  /** @type {FormsLibrary} */
  const library = {
    loadForm,
    getForm: (formId) => ready.find((form) => form.getId() === Number(formId)),
    allForms: () => [...ready],
    whenReady(callback) {
      readyCallbacks.push(callback);
      for (const form of ready) callback(form);
      return library;
    },
  };
  page.MktoForms2 = library;
}
