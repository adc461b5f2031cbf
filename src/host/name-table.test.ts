import { test } from 'node:test'
import { assertGolden } from '../../test/support/golden.ts'
import { tableText } from './name-table.ts'
import { bridgedTable } from './separation-text.ts'

const place = { table: 'ip rack-demo', pool: '10.213.0.0/16', range: '198.18.0.0/20' }
const subnet = '10.213.4.0/24'

test('the table of names: in turn, early callers first, and callers that wait', () => {
  const names = [
    {
      address: '198.18.0.2',
      leads: [{ sources: [subnet], copies: ['10.213.4.2', '10.213.4.3'] }],
      isHeld: false,
    },
    {
      address: '198.18.0.3',
      leads: [
        { sources: ['10.213.4.9', '10.213.4.8'], copies: ['10.213.4.7'] },
        { sources: [subnet], copies: ['10.213.4.6'] },
      ],
      isHeld: false,
    },
    { address: '198.18.0.4', leads: [], isHeld: true },
  ]
  assertGolden(
    'names/table.nft',
    tableText(place, { names, separations: [], answering: [], udpPorts: [] }, true),
  )
})

test('without names everything of the range is refused; where bridges hide replies they come back by the gateway', () => {
  assertGolden(
    'names/empty-masked.nft',
    tableText(place, { names: [], separations: [], answering: [], udpPorts: [] }, false),
  )
})

const separations = [
  {
    subnet,
    groups: [
      { members: ['10.213.4.2'], reached: ['10.213.4.2', '10.213.4.3'] },
      { members: ['10.213.4.3'], reached: ['10.213.4.2', '10.213.4.3', '10.213.4.4'] },
      { members: ['10.213.4.4'], reached: ['10.213.4.3', '10.213.4.4'] },
    ],
    enclosed: ['10.213.4.4'],
  },
  {
    subnet: '10.213.5.0/24',
    groups: [{ members: ['10.213.5.2'], reached: ['10.213.5.2'] }],
    enclosed: [],
  },
]

test('copies are kept apart where packets are routed, and where a bridge passes them on', () => {
  const answering: string[] = []
  assertGolden('names/apart.nft', tableText(place, { names: [], separations, answering, udpPorts: [] }, true))
  assertGolden(
    'names/apart-bridged.nft',
    bridgedTable('bridge rack-demo', { separations, answering }).join('\n'),
  )
})

test('a service answers who calls it, and begins no connection with an app', () => {
  const apart = { separations: [], answering: ['10.213.4.9', '10.213.5.7'] }
  assertGolden('names/answers.nft', tableText(place, { names: [], udpPorts: [], ...apart }, true))
  assertGolden('names/answers-bridged.nft', bridgedTable('bridge rack-demo', apart).join('\n'))
})
