import { test } from 'node:test'
import { appOwner } from '../../../domain/owner.ts'
import { assertGolden } from '../../../../test/support/golden.ts'
import { openPortsTemplate, portsTemplate } from './ports-template.ts'

const places = {
  balancerSubnets: ['subnet-0123456789abcdef1', 'subnet-0123456789abcdef2'],
  securityGroups: {
    processes: 'sg-0123456789abcdef1',
    balancers: 'sg-0123456789abcdef2',
    daemon: 'sg-0123456789abcdef3',
    ports: 'sg-0123456789abcdef4',
    web: 'sg-0123456789abcdef5',
  },
}

test('the templates of the balancer of ports, and of who comes in at those of an app', () => {
  assertGolden('aws/ports-stack.json', `${JSON.stringify(portsTemplate('r1', places), null, 2)}\n`)
  const open = [
    { protocol: 'tcp' as const, port: 5432, range: '10.0.0.0/8' },
    { protocol: 'tcp' as const, port: 5432, range: '192.0.2.1/32' },
    { protocol: 'udp' as const, port: 53, range: '0.0.0.0/0' },
  ]
  const app = openPortsTemplate({ rack: 'r1', places, owner: appOwner('shop'), open })
  assertGolden('aws/open-ports-stack.json', `${JSON.stringify(app, null, 2)}\n`)
})
