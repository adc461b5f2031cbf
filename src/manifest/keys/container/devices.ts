import type { ContainerOptions, Device, GpuRequest } from '../../../domain/container.ts'
import { allowsDevice, gpuDevice } from '../../../domain/policy.ts'
import type { Place, Problems } from '../../problems.ts'
import { childOf, shown, type Node } from '../../syntax/tree.ts'
import { entriesOf, integerOf, itemsOf, textOf } from '../values/values.ts'
import { allowPrivileged, type Asking } from './privileges.ts'

/** The devices of a process: `devices`, `device_cgroup_rules`, and GPUs by whichever key. */
export function devicesOf(
  service: Node,
  asking: Asking,
): Pick<ContainerOptions, 'devices' | 'deviceRules' | 'gpus'> {
  return {
    devices: itemsOf(childOf(service, 'devices'), asking.problems).flatMap(
      (item) => deviceOf(item, asking) ?? [],
    ),
    deviceRules: deviceRulesOf(childOf(service, 'device_cgroup_rules'), asking),
    gpus: gpusOf(service, asking),
  }
}

function deviceOf(item: Node, asking: Asking): Device | null {
  const { policy, problems } = asking
  const device = item.kind === 'map' ? longForm(item, asking) : shortForm(item, asking)
  if (device === null) return null
  if (!/^\/dev\/[\w./:-]+$/.test(device.source) || /(^|\/)\.\.(\/|$)/.test(device.source)) {
    problems.error(
      item,
      `${shown(item)} is no device of the machine`,
      'write "/dev/NAME" or "/dev/NAME:/dev/NAME"',
    )
    return null
  }
  if (!allowsDevice(policy, device.source)) refuseDevice(item, device.source, asking)
  return device
}

function shortForm(item: Node, { problems }: Asking): Device | null {
  const text = textOf(item, problems)
  if (text === null) return null
  const [source = '', path = source, permissions = 'rwm'] = text.split(':')
  // "/dev/x:rw" has permissions in the second place.
  return isPermissions(path)
    ? { source, path: source, permissions: path }
    : checked({ source, path, permissions }, item, problems)
}

function longForm(item: Node, { problems }: Asking): Device | null {
  const word = (key: string) => textOf(childOf(item, key), problems)
  const source = word('source') ?? ''
  return checked(
    { source, path: word('target') ?? source, permissions: word('permissions') ?? 'rwm' },
    item,
    problems,
  )
}

function isPermissions(text: string): boolean {
  return /^[rwm]{1,3}$/.test(text)
}

function checked(device: Device, at: Node, problems: Problems): Device | null {
  if (isPermissions(device.permissions) && device.path.startsWith('/')) return device
  problems.error(at, `${shown(at)} is not a device`, 'write "/dev/NAME:/dev/NAME:rwm"')
  return null
}

function refuseDevice(at: Place, device: string, { problems }: Asking): void {
  problems.policy(
    at,
    `the rack's policy does not let a process have ${device === gpuDevice ? 'a GPU' : 'this device'}`,
    `allow it with \`rack policy set --allow-device ${device}\`, or for a new rack \`rack install --allow-device ${device}\``,
  )
}

/** They name devices by number, so that no path can be allowed. */
function deviceRulesOf(node: Node | undefined, { policy, problems }: Asking): string[] {
  return itemsOf(node, problems).flatMap((item) => {
    const rule = textOf(item, problems)?.trim() ?? ''
    const isRule = /^[abc] (\d+|\*):(\d+|\*) [rwm]{1,3}$/.test(rule)
    if (!isRule) problems.error(item, `${shown(item)} is not a rule`, 'write "c 189:* rmw"')
    else if (!policy.privileged)
      problems.policy(
        item,
        "the rule opens devices by their numbers, and the rack's policy does not allow that",
        `name the devices under \`devices\`, or ${allowPrivileged}`,
      )
    return isRule ? [rule] : []
  })
}

/** GPUs are asked for by `gpus`, by a reservation, or by the runtime that gives all of them. */
function gpusOf(service: Node, asking: Asking): GpuRequest | null {
  const { policy, problems } = asking
  const resources = childOf(childOf(service, 'deploy'), 'resources')
  const reserved = childOf(childOf(resources, 'reservations'), 'devices')
  const [first] = reserved ? itemsOf(reserved, problems) : []
  if (first && !capabilitiesOf(first, problems).includes('gpu'))
    problems.error(
      first,
      'of reserved devices a rack knows GPUs alone',
      'write `capabilities: [gpu]`, or see `devices`',
    )
  for (const at of [childOf(service, 'gpus'), reserved, runtimeOf(service, problems)]) {
    const request = at && requestOf(at, problems)
    if (!request) continue
    if (!allowsDevice(policy, gpuDevice)) refuseDevice(at, gpuDevice, asking)
    return request
  }
  return null
}

/** The runtime, where it is one that gives GPUs. */
function runtimeOf(service: Node, problems: Problems): Node | undefined {
  const node = childOf(service, 'runtime')
  const name = textOf(node, problems)
  if (!node || !name || name === 'runc') return undefined
  if (name === 'nvidia') return node
  problems.error(node, `${shown(node)} is refused: a rack has one container runtime`, 'remove the key')
  return undefined
}

const everyGpu: GpuRequest = { driver: null, count: 'all', ids: [], capabilities: ['gpu'] }

function requestOf(node: Node, problems: Problems): GpuRequest | null {
  if (node.kind === 'scalar') {
    const word = textOf(node, problems)
    if (word !== null && word !== 'all' && word !== 'nvidia')
      problems.error(node, `${shown(node)} is no number of GPUs`, 'write `all`, or a list with `count`')
    return word === null ? null : everyGpu
  }
  const [first, second] = itemsOf(node, problems)
  if (!first) return null
  if (second) problems.error(second, 'a process asks for its GPUs once', 'name them all in one entry')
  const ids = wordsOf(first, 'device_ids', problems)
  return {
    driver: textOf(childOf(first, 'driver'), problems),
    count: countOf(childOf(first, 'count'), ids, problems),
    ids,
    capabilities: [...new Set(['gpu', ...capabilitiesOf(first, problems)])].sort(),
  }
}

function capabilitiesOf(node: Node, problems: Problems): string[] {
  return wordsOf(node, 'capabilities', problems)
}

function wordsOf(node: Node, key: string, problems: Problems): string[] {
  entriesOf(node, problems)
  return itemsOf(childOf(node, key), problems, true).flatMap((item) => textOf(item, problems) ?? [])
}

function countOf(node: Node | undefined, ids: string[], problems: Problems): GpuRequest['count'] {
  if (node && ids.length > 0)
    problems.error(node, '`count` and `device_ids` are both given', 'keep one of them')
  if (ids.length > 0) return null
  const isAll = node === undefined || textOf(node, problems) === 'all' || node.kind !== 'scalar'
  if (isAll || textOf(node, problems) === '-1') return 'all'
  return integerOf(node, { min: 1, max: 1000 }, problems) ?? 'all'
}
