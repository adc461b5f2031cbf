import { test } from 'node:test'
import { appOwner } from '../../../domain/owner.ts'
import { assertGolden } from '../../../../test/support/golden.ts'
import { appTemplate } from './app-template.ts'

const places = {
  region: 'eu-west-1',
  account: '123456789012',
  vpc: 'vpc-0123456789abcdef0',
  securityGroups: {
    processes: 'sg-0123456789abcdef1',
    balancers: 'sg-0123456789abcdef2',
    daemon: 'sg-0123456789abcdef3',
    ports: 'sg-0123456789abcdef4',
    web: 'sg-0123456789abcdef5',
  },
  fileSystem: 'fs-0123456789abcdef0',
  key: 'arn:aws:kms:eu-west-1:123456789012:key/1',
  roleBoundary: 'arn:aws:iam::123456789012:policy/rack/r1/boundary',
}

test("the templates of an app's stack and of a service's", () => {
  const app = {
    rack: 'r1',
    owner: appOwner('shop'),
    places,
    accessPoints: ['fsap-0123456789abcdef1', 'fsap-0123456789abcdef2'],
  }
  const service = { ...app, owner: { kind: 'service' as const, name: 'db' }, accessPoints: [] }
  assertGolden('aws/app-stack.json', `${JSON.stringify(appTemplate(app), null, 2)}\n`)
  assertGolden('aws/service-stack.json', `${JSON.stringify(appTemplate(service), null, 2)}\n`)
})
