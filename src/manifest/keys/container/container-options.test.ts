import { dockerFeatures } from '../../../domain/docker-features.ts'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readWeb } from '../../../../test/support/compose.ts'
import { plainContainer, type ContainerOptions, type GpuRequest } from '../../../domain/container.ts'
import { readManifest } from '../../read-manifest.ts'
import { strictPolicy } from '../../../domain/policy.ts'

const privileged = { policy: { ...strictPolicy, privileged: true } }

test('every option, in both syntaxes', () => {
  const table: [keys: string, options: Partial<ContainerOptions>][] = [
    [
      'hostname: web-1.example\ndomainname: example.com',
      { hostname: 'web-1.example', domainname: 'example.com' },
    ],
    ['group_add: [mail, 1000, "2000", mail]', { groups: ['mail', '1000', '2000'] }],
    [
      'cap_add: [NET_BIND_SERVICE, cap_chown, IPC_LOCK]\ncap_drop: [ALL]',
      { capAdd: ['CHOWN', 'IPC_LOCK', 'NET_BIND_SERVICE'], capDrop: ['ALL'] },
    ],
    ['cap_drop: [SYS_ADMIN, CAP_SYS_ADMIN]', { capDrop: ['SYS_ADMIN'] }],
    ['privileged: false\nread_only: true', { readOnly: true }],
    ['security_opt: [no-new-privileges, "no-new-privileges:true", "no-new-privileges=true"]', {}],
    ['shm_size: 128m', { shmBytes: 128 * 1024 * 1024 }],
    ['shm_size: 0', {}],
    [
      'sysctls: { net.core.somaxconn: 1024, kernel.shmmax: "5" }',
      { sysctls: { 'kernel.shmmax': '5', 'net.core.somaxconn': '1024' } },
    ],
    ['sysctls: ["net.ipv4.tcp_syncookies=0"]', { sysctls: { 'net.ipv4.tcp_syncookies': '0' } }],
    [
      'ulimits: { nproc: 65535, nofile: { soft: 20000, hard: 40000 }, memlock: -1 }',
      {
        ulimits: [
          { name: 'memlock', soft: -1, hard: -1 },
          { name: 'nofile', soft: 20_000, hard: 40_000 },
          { name: 'nproc', soft: 65_535, hard: 65_535 },
        ],
      },
    ],
    ['pids_limit: 100', { pids: 100 }],
    ['deploy: { resources: { limits: { pids: 50 } } }', { pids: 50 }],
    ['pids_limit: 50\ndeploy: { resources: { limits: { pids: 50 } } }', { pids: 50 }],
    ['pids_limit: -1', {}],
    ['oom_score_adj: 500', { oomScoreAdj: 500 }],
    [
      'dns: 8.8.8.8\ndns_search: example.com\ndns_opt: [use-vc, "ndots:2"]',
      { dns: { servers: ['8.8.8.8'], search: ['example.com'], options: ['use-vc', 'ndots:2'] } },
    ],
    [
      'dns: [8.8.8.8, "2001:4860:4860::8888"]\ndns_search: [a.example, .]',
      { dns: { servers: ['8.8.8.8', '2001:4860:4860::8888'], search: ['a.example', '.'], options: [] } },
    ],
    ['tty: true\nstdin_open: true', { tty: true, stdinOpen: true }],
  ]
  for (const [keys, expected] of table) {
    const { web, problems } = readWeb(keys)
    assert.deepEqual(problems, [], keys)
    assert.deepEqual(web.container, { ...plainContainer, ...expected }, keys)
  }
})

const beyond: [keys: string, options: Partial<ContainerOptions>][] = [
  ['privileged: true', { privileged: true }],
  ['cap_add: [SYS_ADMIN]', { capAdd: ['SYS_ADMIN'] }],
  ['cap_add: [all]', { capAdd: ['ALL'] }],
  ['cap_add: [NET_ADMIN, SYS_MODULE, SYS_PTRACE, DAC_READ_SEARCH]', {}],
  ['security_opt: ["seccomp=unconfined"]', { securityOptions: ['seccomp=unconfined'] }],
  ['security_opt: ["seccomp:unconfined"]', { securityOptions: ['seccomp=unconfined'] }],
  ['security_opt: ["apparmor:unconfined"]', { securityOptions: ['apparmor=unconfined'] }],
  ['security_opt: ["label=type:spc_t"]', { securityOptions: ['label=type:spc_t'] }],
  ['security_opt: ["label:disable"]', { securityOptions: ['label=disable'] }],
  ['ulimits: { rtprio: 99 }', { ulimits: [{ name: 'rtprio', soft: 99, hard: 99 }] }],
  ['oom_score_adj: -500', { oomScoreAdj: -500 }],
  ['device_cgroup_rules: ["c 189:* rmw"]', { deviceRules: ['c 189:* rmw'] }],
  ['cgroup: host', { hostNamespaces: ['cgroup'] }],
  ['cgroupns_mode: host', { hostNamespaces: ['cgroup'] }],
  ['ipc: host', { hostNamespaces: ['ipc'] }],
  ['pid: host', { hostNamespaces: ['pid'] }],
  ['userns_mode: host', { hostNamespaces: ['user'] }],
  ['uts: host', { hostNamespaces: ['uts'] }],
]

const everyGpu: GpuRequest = { driver: null, count: 'all', ids: [], capabilities: ['gpu'] }

test('devices and GPUs need a word of the policy each, or that of `privileged` for all', () => {
  const reserve = (devices: string) => `deploy: { resources: { reservations: { devices: [${devices}] } } }`
  const table: [keys: string, word: string, options: Partial<ContainerOptions>][] = [
    [
      'devices: [/dev/fuse]',
      '/dev/fuse',
      { devices: [{ source: '/dev/fuse', path: '/dev/fuse', permissions: 'rwm' }] },
    ],
    [
      'devices: ["/dev/a:r"]',
      '/dev/a',
      { devices: [{ source: '/dev/a', path: '/dev/a', permissions: 'r' }] },
    ],
    [
      'devices: [{ source: /dev/bus/usb, target: /dev/usb, permissions: rw }]',
      '/dev/bus',
      { devices: [{ source: '/dev/bus/usb', path: '/dev/usb', permissions: 'rw' }] },
    ],
    ['gpus: all', 'gpu', { gpus: everyGpu }],
    ['runtime: nvidia', 'gpu', { gpus: everyGpu }],
    [
      'gpus: [{ driver: nvidia, count: 2 }]',
      'gpu',
      { gpus: { driver: 'nvidia', count: 2, ids: [], capabilities: ['gpu'] } },
    ],
    [
      reserve('{ driver: nvidia, device_ids: ["0", "3"], capabilities: [gpu, compute] }'),
      'gpu',
      { gpus: { driver: 'nvidia', count: null, ids: ['0', '3'], capabilities: ['compute', 'gpu'] } },
    ],
    [reserve('{ capabilities: [gpu], count: all }'), 'gpu', { gpus: everyGpu }],
  ]
  for (const [keys, word, expected] of table) {
    const closed = readWeb(keys)
    assert.equal(closed.problems.length, 1, keys)
    assert.match(
      closed.problems[0] ?? '',
      /policy does not let a process have .*rack policy set --allow-device /,
    )
    for (const policy of [{ ...strictPolicy, devices: [word] }, privileged.policy]) {
      const { web, problems } = readWeb(keys, {}, { policy })
      assert.deepEqual([problems, web.container], [[], { ...plainContainer, ...expected }], keys)
    }
  }
})

test('what reaches beyond the container needs the policy of the rack', () => {
  for (const [keys, expected] of beyond) {
    const text = `services:\n  web:\n    image: x\n    ${keys}\n`
    const source = { files: [{ path: 'c.yml', text }], dotenv: null, texts: {}, contents: {} }
    const { manifest, problems } = readManifest(source, { environment: {}, features: dockerFeatures })
    assert.equal(manifest, null, keys)
    for (const { kind, hint } of problems) {
      assert.equal(kind, 'policy', keys)
      assert.match(hint ?? '', /rack policy set --allow-privileged.*rack install --allow-privileged/, keys)
    }
    const { web, problems: allowed } = readWeb(keys, {}, privileged)
    assert.deepEqual(allowed, [], keys)
    assert.deepEqual({ ...web.container, ...expected }, web.container, keys)
  }
})

test('what no policy allows, and what is wrong', () => {
  const table: [keys: string, problem: RegExp][] = [
    ['security_opt: ["no-new-privileges:false"]', /no process of a rack may gain privileges/],
    ['security_opt: ["seccomp:./profile.json"]', /"seccomp" with a profile of one's own is refused/],
    ['security_opt: ["secomp=unconfined"]', /is not a security option; did you mean "seccomp"/],
    ['security_opt: [apparmor]', /is not a security option/],
    ['cap_add: [NET_BIND_SERVIC]', /is not a capability; did you mean "NET_BIND_SERVICE"/],
    ['cap_drop: [everything]', /is not a capability; see `man 7 capabilities`/],
    [
      'sysctls: { kernel.panic: 1 }',
      /"kernel.panic" belongs to the whole machine; a process has its own `net/,
    ],
    ['sysctls: { vm.swappiness: 1 }', /belongs to the whole machine/],
    ['sysctls: [net.core.somaxconn]', /has no value/],
    ['sysctls: ["net.a=1", "net.a=2"]', /is given twice/],
    ['ulimits: { nofiles: 1 }', /"nofiles" is not a limit; did you mean "nofile"/],
    ['ulimits: { nofile: { soft: 10, hard: 5 } }', /the soft limit is above the hard one/],
    ['ulimits: { nofile: { soft: -1, hard: 5 } }', /the soft limit is above the hard one/],
    ['ulimits: { nofile: { soft: 10 } }', /needs `soft` and `hard`/],
    ['ulimits: { nofile: }', /a limit needs a number/],
    ['ulimits: { nofile: many }', /not a whole number/],
    ['pids_limit: 5\ndeploy: { resources: { limits: { pids: 6 } } }', /`pids_limit` and .* differ/],
    ['oom_score_adj: 1001', /not a whole number from -1000 to 1000/],
    ['dns: [ns.example]', /is not the address of a name server/],
    ['dns: 300.1.1.1', /is not the address of a name server/],
    ['dns_search: "a b"', /is not a domain/],
    ['dns_opt: ["n dots"]', /is not an option of the resolver/],
    [`hostname: ${'a'.repeat(64)}`, /is not a host name; use up to 63/],
    ['hostname: -a', /is not a host name/],
    ['group_add: ["a b"]', /is not a group/],
    ['devices: [/srv/x]', /"\/srv\/x" is no device of the machine/],
    ['devices: ["/dev/../etc"]', /is no device of the machine/],
    ['devices: ["vendor.com/class=name"]', /is no device|is not a device/],
    ['devices: ["/dev/a:b"]', /is not a device; write/],
    ['device_cgroup_rules: ["all"]', /is not a rule; write/],
    ['gpus: some', /is no number of GPUs/],
    ['gpus: [{ count: 1, device_ids: ["0"] }]', /`count` and `device_ids` are both given/],
    ['gpus: [{ count: 1 }, { count: 2 }]', /asks for its GPUs once/],
    [
      'deploy: { resources: { reservations: { devices: [{ capabilities: [tpu] }] } } }',
      /of reserved devices a rack knows GPUs alone/,
    ],
    ['runtime: sysbox-runc', /"sysbox-runc" is refused: a rack has one container runtime/],
    ['pid: "service:db"', /`pid: service:db` is refused: a process shares it with no other/],
    ['tty: maybe', /neither true nor false/],
  ]
  for (const [keys, pattern] of table)
    assert.match(readWeb(keys, {}, privileged).problems.join('\n'), pattern, keys)
})
