import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readWeb } from '../../../test/support/compose.ts'

function portsOf(ports: string): string[] {
  const { web, problems } = readWeb(`ports: ${ports}`)
  const others = problems.filter((problem) => !problem.includes('tcp without a host name'))
  assert.deepEqual(others, [], ports)
  return web.ports.map(
    ({ external, container, protocol, isLocal }) =>
      `${isLocal ? 'local ' : ''}${external ?? '-'}:${container} ${protocol}`,
  )
}

test('every form that a rack can open', () => {
  assert.deepEqual(portsOf('["80:5000"]'), ['80:5000 http'])
  assert.deepEqual(portsOf('[5000, "5001", "5002/tcp"]'), ['-:5000 tcp', '-:5001 tcp', '-:5002 tcp'])
  assert.deepEqual(portsOf('["25:25/TCP"]'), ['25:25 tcp'])
  assert.deepEqual(portsOf('["8000-8001:9000-9001"]'), ['8000:9000 tcp', '8001:9001 tcp'])
  assert.deepEqual(portsOf('["3000-3001"]'), ['-:3000 tcp', '-:3001 tcp'])
  assert.deepEqual(portsOf('[{ target: 80, published: "80", mode: host, protocol: tcp, name: x }]'), [
    '80:80 http',
  ])
  assert.deepEqual(portsOf('[{ target: 80 }]'), ['-:80 tcp'])
  assert.deepEqual(
    portsOf('["0.0.0.0:80:5000", "[::]:81:5001", {target: 2, published: 3, host_ip: "0.0.0.0"}]'),
    ['80:5000 http', '81:5001 tcp', '3:2 tcp'],
  )
  assert.deepEqual(portsOf('["53:5353/udp", "54/UDP", "5000-5001:6000-6001/udp", "127.0.0.1:55:55/udp"]'), [
    '53:5353 udp',
    '-:54 udp',
    '5000:6000 udp',
    '5001:6001 udp',
    'local 55:55 udp',
  ])
  assert.deepEqual(portsOf('[{ target: 51820, published: 443, protocol: udp }]'), ['443:51820 udp'])
  const local = '["127.0.0.1:80:5000", "127.0.1.1:5-6:5-6", "[::1]:7:7", "localhost:8:8", "127.0.0.1::9"]'
  assert.deepEqual(portsOf(local), [
    'local 80:5000 tcp',
    'local 5:5 tcp',
    'local 6:6 tcp',
    'local 7:7 tcp',
    'local 8:8 tcp',
    '-:9 tcp',
  ])
  assert.deepEqual(portsOf('[{ target: 5432, published: "5432", host_ip: 127.0.0.1 }]'), [
    'local 5432:5432 tcp',
  ])
})

test('what cannot be opened is refused with the reason', () => {
  const table: [ports: string, problem: RegExp][] = [
    ['["443:443/udp"]', /warning: .*443\/udp stays closed, so browsers use HTTP\/2/],
    ['[{ published: 443, target: 443, protocol: udp }]', /warning: .*443\/udp stays closed/],
    ['["443:8443"]', /warning: .*TLS of port 443 ends at the rack, which speaks it to the process again/],
    [
      '["53:53/udp"]\nlabels: { rack.port.53.proxy: "true" }',
      /port 53 is udp, which carries no PROXY header; remove the label/,
    ],
    ['["2000/foo"]', /"foo" is not a protocol/],
    [
      '["853:5432"]\nlabels: { rack.port.853.protocol: tls }',
      /warning: .*clients of PostgreSQL begin in clear.*; write rack\.port\.853\.protocol=tcp/,
    ],
    [
      '["853:53"]\nlabels: { rack.port.853.shared: "true" }',
      /port 853 is tcp, where nothing tells whose a connection is; write rack\.port\.853\.protocol=tls/,
    ],
    [
      '["10.0.0.5:80:5000"]',
      /belongs to the rack; write "5000" to reach it inside the app only, "127.0.0.1:80:5000" for .*, or "80:5000"/,
    ],
    ['["[fe80::1]:80:5000"]', /belongs to the rack/],
    ['[{ target: 80, published: 80, host_ip: 10.0.0.5 }]', /"10.0.0.5" binds an address of the host/],
    [
      '["127.0.0.1:81:80"]\nlabels: { rack.port.81.protocol: http }',
      /port 81 is for the machine of the rack alone/,
    ],
    ['["0:80"]', /"0:80" is not a port from 1 to 65535/],
    ['["99999:80"]', /not a port from 1/],
    ['["80:99999"]', /not a port from 1/],
    ['["10-5"]', /the range "10-5" runs backwards/],
    ['["8000-8002:9000-9001"]', /differ in size/],
    ['["1-60000"]', /at most 256 ports/],
    ['["534a"]', /"534a" is not a port; write "80:5000"/],
    ['["a/b/c"]', /is not a port/],
    ['["80:1", "80:2"]', /the port 80 leads to 1 and to 2/],
    ['["8000-8005:8000-8005", "8003:1"]', /the port 8003 leads to 8003 and to 1/],
    ['[22:22]', /warning: .*a number to the base 60/],
    ['["80:80", "80:80"]', /warning: .*named twice/],
    ['[{ published: 80 }]', /a port needs `target`/],
    ['[[80]]', /expected a port/],
  ]
  for (const [ports, pattern] of table)
    assert.match(readWeb(`ports: ${ports}`).problems.join('\n'), pattern, ports)
})

test('expose takes numbers, ranges and protocols', () => {
  const { web, problems } = readWeb('expose: [3000, "4000-4001", "5000/tcp", "53/udp"]')
  assert.deepEqual(web.expose, [3000, 4000, 4001, 5000])
  assert.equal(problems.length, 1)
  assert.match(readWeb('expose: [x]').problems[0] ?? '', /is not a port/)
})
