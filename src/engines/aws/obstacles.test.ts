import assert from 'node:assert/strict'
import { test } from 'node:test'
import { planOf, processPlan } from '../../../test/support/plans.ts'
import type { PortProtocol } from '../../domain/port.ts'
import { unservedPorts } from './obstacles.ts'

test('a port that the network balancer is not told how to serve is refused before anything is touched', () => {
  const port = (protocol: PortProtocol, external: number | null) => ({
    external,
    container: 9000,
    protocol,
    proxy: false as const,
    secure: false,
  })
  const said = (protocol: PortProtocol, external: number | null = 9000) =>
    unservedPorts(planOf([processPlan({ ports: [port(protocol, external)] })])).map(
      ({ code, message }) => `${code}: ${message}`,
    )
  assert.deepEqual([said('http'), said('tcp'), said('udp', null)], [[], [], []])
  for (const protocol of ['tls', 'udp'] as const)
    assert.deepEqual(said(protocol), [
      `unsupported: a rack in an AWS account cannot serve web on ${protocol} 9000: its network balancer speaks tcp alone`,
    ])
})
