import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readWeb } from '../../../test/support/compose.ts'

function portsOf(ports: string): string[] {
  const { web, problems } = readWeb(`ports: ${ports}`)
  assert.deepEqual(problems, [], ports)
  return web.ports.map(({ external, container, protocol }) => `${external ?? '-'}:${container} ${protocol}`)
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
})

test('what cannot be opened is refused with the reason', () => {
  const table: [ports: string, problem: RegExp][] = [
    ['["2000/udp"]', /udp is refused: this version serves http and tcp/],
    ['["2000/foo"]', /"foo" is not a protocol/],
    ['["443:5000"]', /port 443 is https, which is refused/],
    [
      '["127.0.0.1:80:5000"]',
      /belongs to the rack; write "5000" to reach it inside the app only, or "80:5000"/,
    ],
    ['["[::1]:80:5000"]', /belongs to the rack/],
    ['[{ target: 80, host_ip: 127.0.0.1 }]', /"host_ip" is refused/],
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
