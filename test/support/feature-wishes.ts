import type { EngineFeatures } from '../../src/domain/features.ts'

type Feature = Exclude<keyof EngineFeatures, 'name'>

/** What a process asks for, and what is said where an engine has no such thing. */
export const featureWishes: Partial<Record<Feature, [keys: string, problem: RegExp][]>> = {
  binds: [
    [
      'volumes: ["/srv/data:/data"]',
      /^4:15: error: services\.web\.volumes\[0\]: the path "\/srv\/data" of the host is refused: there is no host .*; for data use a named volume/,
    ],
    [
      'volumes: [{ type: bind, source: /srv, target: /data }]',
      /^4:37: error: services\.web\.volumes\[0\]\.source: the path "\/srv"/,
    ],
  ],
  privileged: [
    [
      'privileged: true',
      /^4:5: error: services\.web\.privileged: "privileged" is refused: Fargate .*; remove the key; what needs/,
    ],
  ],
  devices: [
    ['devices: [/dev/dri]', /^4:5: error: .*"devices" is refused: Fargate has no devices; remove the key/],
    ['gpus: all', /^4:5: error: .*"gpus" is refused/],
    ['runtime: nvidia', /^4:5: error: .*"runtime" is refused/],
    [
      'deploy: { resources: { reservations: { devices: [{ capabilities: [gpu] }] } } }',
      /^4:44: error: .*"devices" is refused/,
    ],
  ],
  hostNamespaces: [['pid: host', /^4:10: error: .*`pid: host` is refused: each copy has a machine/]],
  hostGateway: [['extra_hosts: ["up:host-gateway"]', /^4:19: error: .*host-gateway is refused: the machine/]],
  capabilities: [
    [
      'cap_add: [CHOWN, SYS_ADMIN]',
      /^4:22: error: services\.web\.cap_add\[1\]: the capability "SYS_ADMIN" is refused: Fargate adds/,
    ],
    ['cap_add: [IPC_LOCK]', /^4:15: error: .*"IPC_LOCK" is refused/],
  ],
  securityProfiles: [
    [
      'security_opt: ["seccomp=unconfined"]',
      /^4:20: error: services\.web\.security_opt\[0\]: "seccomp=unconfined" is refused: ECS takes no profile/,
    ],
  ],
  noNewPrivileges: [
    ['security_opt: ["no-new-privileges:true"]', /^4:20: warning: .*"no-new-privileges:true" is ignored/],
  ],
  buildSecrets: [
    ['build: { ssh: [default] }', /^4:14: error: .*"ssh" is refused: .*; fetch what needs a secret before/],
  ],
  groups: [['group_add: [docker]', /^4:5: error: .*"group_add" is refused: .*; name the group in the image/]],
  ulimits: [
    [
      'ulimits: { nproc: 100 }',
      /^4:16: error: services\.web\.ulimits\.nproc: the limit "nproc" is refused: Fargate sets no limit/,
    ],
  ],
  openFiles: [
    [
      'ulimits: { nofile: 100000 }',
      /^4:16: error: .*ulimits\.nofile: the limit is too high: .*; write 65535/,
    ],
    ['ulimits: { nofile: -1 }', /^4:16: error: .*the limit is too high/],
  ],
  ownHostName: [
    ['hostname: shop', /^4:5: warning: .*"hostname" becomes the variable HOSTNAME .*: gethostname\(\)/],
    ['domainname: shop.example', /^4:5: warning: .*"domainname" becomes/],
  ],
  nameServers: [['dns: 10.0.0.53', /^4:5: error: .*"dns" is refused: .*; use `extra_hosts`/]],
  agents: [
    [
      'deploy: { mode: global }',
      /^4:15: error: services\.web\.deploy\.mode: "mode" is refused: an agent needs/,
    ],
    [
      'labels: { rack.agent: "true" }',
      /^4:15: error: .*"rack\.agent" is refused: an agent needs .*; remove it; what/,
    ],
  ],
  restartOnFailure: [
    [
      'restart: on-failure',
      /^4:14: error: services\.web\.restart: `restart: on-failure` is refused: ECS .*; write `restart: "no"`/,
    ],
    [
      'deploy: { restart_policy: { condition: on-failure } }',
      /^4:44: error: .*condition: `restart: on-failure` is refused/,
    ],
  ],
  localPorts: [
    [
      'ports: ["127.0.0.1:5432:5432"]',
      /^4:13: warning: .*"127.0.0.1:5432:5432", for the machine of the rack alone, becomes a port inside the app: .*`rack proxy`/,
    ],
  ],
  restartNever: [
    [
      'restart: "no"\nports: ["80:80"]',
      /^4:14: warning: .*`restart: "no"` of a process that serves is ignored: ECS starts/,
    ],
  ],
  stopGraceMs: [
    ['stop_grace_period: 5m', /^4:24: warning: .*"5m" is more than the engine gives: Fargate .*; write "2m"/],
  ],
  checks: [
    ['healthcheck: { test: x, interval: 1s }', /^4:39: warning: .*"1s" is rounded to 5s: ECS checks every/],
    ['healthcheck: { test: x, start_period: 10m }', /^4:43: warning: .*"10m" is rounded to 300s/],
    ['healthcheck: { test: x, retries: 20 }', /^4:38: warning: .*"20" is rounded to 10/],
  ],
  copySize: [
    ['cpus: 17', /^4:11: error: services\.web\.cpus: "17" is more than a copy can have: a copy on Fargate/],
    ['deploy: { resources: { limits: { memory: 120g } } }', /^4:46: error: .*memory: "120g" is more than/],
  ],
  valueLength: [
    [
      `environment: { LONG: ${'x'.repeat(60_001)} }`,
      /^4:20: error: services\.web\.environment\.LONG: the value of "LONG" is too long: Secrets Manager .*; put it/,
    ],
  ],
  idleTimeoutOnHttp: [
    [
      'ports: ["80:80"]\nlabels: { rack.idle.timeout: "300" }',
      /^5:15: warning: .*idle\.timeout on http is ignored: the balancer has one limit/,
    ],
  ],
  proxyOnHttp: [
    [
      'ports: ["80:80"]\nlabels: { rack.port.80.proxy: "true" }',
      /^5:15: error: .*the PROXY protocol on port 80 is refused: an application load balancer .*; read X-Forwarded-For/,
    ],
  ],
  proxyOnTcp: [
    [
      'ports: ["25:25"]\nlabels: { rack.port.25.proxy: "true" }',
      /^5:15: warning: .*the PROXY protocol on port 25 becomes version 2 of it/,
    ],
    [
      'ports: ["25:25"]\nlabels: { rack.port.25.proxy: v2 }',
      /^5:15: warning: .*a process that speaks first, as SMTP and SSH do, waits for ever/,
    ],
  ],
  secureOnTcp: [
    [
      'ports: ["25:25"]\nlabels: { rack.port.25.secure: "true" }',
      /^5:15: error: .*TLS to the process on port 25 is refused: .*; write the protocol tls/,
    ],
  ],
  http2ToProcess: [
    [
      'ports: ["80:80"]\nlabels: { rack.port.80.upstream: h2c }',
      /^5:15: error: .*"rack\.port\.80\.upstream" is refused: the balancer speaks HTTP\/1\.1 .*; write the protocol tcp/,
    ],
  ],
  idleTimeoutOnPorts: [
    [
      'ports: ["25:25"]\nlabels: { rack.idle.timeout: "900" }',
      /^5:15: warning: .*idle\.timeout on a port that is not http is ignored: a network load balancer ends/,
    ],
  ],
  strictTransport: [
    [
      'ports: ["80:80"]\nlabels: { rack.https.hsts: "86400" }',
      /^5:15: error: .*"rack\.https\.hsts" is refused: an application load balancer .*; let the process send/,
    ],
  ],
  udpBesideTcp: [
    [
      'ports: ["53:53/udp", "53:5353"]\nlabels: { rack.health.port: "5353" }',
      /^4:13: error: .*the port 53 for tcp and udp at once is refused: a network load balancer .*; give udp a/,
    ],
    [
      'ports: ["5300:53/udp", "80:53"]\nlabels: { rack.health.port: "53" }',
      /^4:13: error: .*the port 53 for tcp and udp at once is refused/,
    ],
  ],
  udpAlone: [
    ['ports: ["53/udp"]', /^4:13: error: .*reached by udp needs a tcp port .*; declare one under `expose:`/],
  ],
  sharedTlsPorts: [
    [
      'ports: ["853:853"]\nlabels: { rack.port.853.protocol: tls, rack.port.853.shared: "true" }',
      /^5:\d+: error: .*"rack\.port\.853\.shared" is refused: a network load balancer leads by port alone; give each/,
    ],
  ],
  sticky: [
    [
      'ports: ["80:80"]\nlabels: { rack.sticky: "uri" }',
      /^5:15: error: .*sticky by uri is refused: an application load balancer .*; write rack\.sticky=source/,
    ],
  ],
  stickyOnTls: [
    [
      'ports: ["853:853"]\nlabels: { rack.port.853.protocol: tls, rack.sticky: source }',
      /^5:\d+: error: .*sticky on a port of tls is refused: a network load balancer that ends TLS .*; remove the label/,
    ],
  ],
  stickyByAddress: [
    [
      'ports: ["80:80"]\nlabels: { rack.sticky: source }',
      /^5:15: warning: .*the client's address on http becomes the balancer's cookie/,
    ],
  ],
  allowedRanges: [
    [
      `ports: ["80:80"]\nlabels: { rack.allow: "${Array.from({ length: 13 }, (_, index) => `10.${index}.0.0/16`).join(',')}" }`,
      /^5:15: error: .*allow names 13 ranges: the rules .*; name larger ranges/,
    ],
  ],
  allowedIpv6: [
    [
      'ports: ["25:25"]\nlabels: { rack.allow: "10.0.0.0/8, 2001:db8::/32" }',
      /^5:15: warning: .*a range of IPv6 in allow is ignored: the balancers .* IPv4 alone/,
    ],
  ],
  accounts: [
    [
      'ports: ["80:80"]\nlabels: { rack.auth: "a:b" }',
      /^5:15: error: .*"rack\.auth" is refused: an application load balancer cannot ask .*; let the process ask/,
    ],
  ],
  heldRequests: [
    [
      'ports: ["80:80"]\nlabels: { rack.deployment.hold: "60" }',
      /^5:15: warning: .*"rack\.deployment\.hold" is ignored: the balancer answers 503 while no copy serves/,
    ],
  ],
  probes: [
    [
      'ports: ["80:80"]\nlabels: { rack.health.interval: "3" }',
      /^5:15: warning: .*health\.interval is rounded to 5 once a copy serves: the balancer/,
    ],
    [
      'ports: ["80:80"]\nlabels: { rack.health.timeout: "1" }',
      /^5:15: warning: .*health\.timeout is rounded to 2/,
    ],
    [
      'ports: ["80:80"]\nlabels: { rack.health.threshold.unhealthy: "1" }',
      /^5:15: warning: .*health\.threshold\.unhealthy is rounded to 2/,
    ],
  ],
}
