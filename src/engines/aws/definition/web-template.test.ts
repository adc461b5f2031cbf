import { test } from 'node:test'
import { assertGolden } from '../../../../test/support/golden.ts'
import { webTemplate } from './web-template.ts'

const places = {
  balancerSubnets: ['subnet-0123456789abcdef1', 'subnet-0123456789abcdef2'],
  securityGroups: {
    processes: 'sg-0123456789abcdef1',
    balancers: 'sg-0123456789abcdef2',
    daemon: 'sg-0123456789abcdef3',
    web: 'sg-0123456789abcdef4',
    ports: 'sg-0123456789abcdef5',
  },
}

test('the template of a further balancer of the web, with a certificate and without', () => {
  const arn = 'arn:aws:acm:eu-west-1:123456789012:certificate/01234567-89ab-cdef-0123-456789abcdef'
  for (const [file, certificate] of [
    ['web-stack', arn],
    ['web-bare-stack', null],
  ] as const) {
    const template = webTemplate({ rack: 'r1', number: 2, places, certificate })
    assertGolden(`aws/${file}.json`, `${JSON.stringify(template, null, 2)}\n`)
  }
})
