using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [(name = "site", worker = .site)],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "site")],
);

const site :Workerd.Worker = (
  modules = [
    (name = "worker", esModule = embed "dist/worker.js"),
    (name = "munchkin-shim/munchkin_signer.wasm", wasm = embed "node_modules/munchkin-shim/dist/munchkin_signer.wasm"),
  ],
  bindings = [(name = "MARKETO_API_PRIVATE_KEY", fromEnvironment = "MARKETO_API_PRIVATE_KEY")],
  compatibilityDate = "2026-10-01",
);
