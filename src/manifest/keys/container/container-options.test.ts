import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readWeb } from '../../../../test/support/compose.ts'
import { plainContainer, type ContainerOptions } from '../../../domain/container.ts'
import { readManifest } from '../../read-manifest.ts'

const privileged = { policy: { binds: [], privileged: true } }

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
]

test('what reaches beyond the container needs the policy of the rack', () => {
  for (const [keys, expected] of beyond) {
    const text = `services:\n  web:\n    image: x\n    ${keys}\n`
    const source = { files: [{ path: 'c.yml', text }], dotenv: null, texts: {}, contents: {} }
    const { manifest, problems } = readManifest(source, { environment: {} })
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
    ['tty: maybe', /neither true nor false/],
  ]
  for (const [keys, pattern] of table)
    assert.match(readWeb(keys, {}, privileged).problems.join('\n'), pattern, keys)
})
