import { posix } from 'node:path'
import type { MountPoint, Secret, Volume } from '@aws-sdk/client-ecs'
import type { FileMount } from '../../../domain/container.ts'
import { RackError } from '../../../domain/error.ts'
import { placeFiles } from '../../../domain/file-places.ts'
import type { ProcessPlan } from '../../../domain/plan.ts'
import type { LaidFile } from '../../../aws/registry/derive-image.ts'
import { secretsPlace, type SecretFile } from '../tool-orders.ts'

/** Where the configs and secrets of a type come from in a task. */
export interface TaskFiles {
  /** What its image holds: configs, and links to where secrets will be. */
  laid: LaidFile[]
  /** What the container `rack` writes. */
  orders: SecretFile[]
  /** What is in these, in base64, by their keys in the generation's secret: none is a name of a variable. */
  contents: Record<string, string>
  /** Directories below one in memory, which would hide what the image holds: each a volume that `rack` fills. */
  directories: string[]
}

/** As many bytes as a secret has room for, in base64 (aws.md 1.6). */
const mostBytes = 44_000

/** ECS mounts directories alone (aws.md 1.2). Pure. @throws invalid for a secret that is too large */
export function taskFiles({
  type,
  files,
  mounts,
}: Pick<ProcessPlan, 'type' | 'files' | 'mounts'>): TaskFiles {
  const { volumes } = placeFiles({ files, mounts, container: { readOnly: false } })
  const all: TaskFiles = { laid: [], orders: [], contents: {}, directories: volumes }
  for (const [index, file] of files.entries()) {
    const { kind, path, content, mode, uid, gid } = file
    const order = volumes.findIndex((directory) => path.startsWith(`${directory}/`))
    if (kind === 'config' && order < 0) {
      all.laid.push({ path, mode, uid, gid, what: { content: Buffer.from(content, 'base64') } })
      continue
    }
    refuseLarge(type, file)
    const place =
      order < 0 ? String(index) : posix.join(volumeName(order), path.slice(volumes[order]!.length))
    const variable = `RACK_FILE_${index}`
    all.orders.push({ path: place, variable, mode, uid, gid })
    all.contents[keyOfVariable(variable)] = content
    if (order < 0) {
      all.laid.push({ path, mode: 0o777, uid, gid, what: { link: posix.join(secretsPlace, place) } })
    }
  }
  return all
}

function volumeName(index: number): string {
  return `files-${index}`
}

/** The key in the generation's secret of what a variable of `rack` holds: no variable has a hyphen. */
function keyOfVariable(variable: string): string {
  return variable.replace(/^RACK_FILE_/, 'file-')
}

const secretsVolume = 'files'

type InTask = Pick<TaskFiles, 'orders' | 'directories'>

/** Volumes of the task that hold its files. */
export function fileVolumes({ orders, directories }: InTask): Volume[] {
  if (orders.length === 0) return []
  return [{ name: secretsVolume }, ...directories.map((_each, index) => ({ name: volumeName(index) }))]
}

/** How the container `rack` sees them, and writes. */
export function filledMounts({ orders, directories }: InTask): MountPoint[] {
  if (orders.length === 0) return []
  const own = directories.map((_each, index) => volumeName(index))
  return [
    { sourceVolume: secretsVolume, containerPath: secretsPlace },
    ...own.map((name) => ({ sourceVolume: name, containerPath: posix.join(secretsPlace, name) })),
  ]
}

/** How the process sees them. */
export function fileMounts({ orders, directories }: InTask): MountPoint[] {
  if (orders.length === 0) return []
  return [
    { sourceVolume: secretsVolume, containerPath: secretsPlace, readOnly: true },
    ...directories.map((directory, index) => ({ sourceVolume: volumeName(index), containerPath: directory })),
  ]
}

/** @param arns of secrets, by the keys that they have */
export function fileSecrets({ orders }: InTask, arns: ReadonlyMap<string, string>): Secret[] {
  return orders.map(({ variable }) => {
    const key = keyOfVariable(variable)
    return { name: variable, valueFrom: `${arns.get(key)}:${key}::` }
  })
}

function refuseLarge(type: string, { kind, name, content }: FileMount): void {
  if (Buffer.byteLength(content, 'base64') <= mostBytes) return
  throw new RackError('invalid', `the ${kind} ${name} of ${type} has more than ${mostBytes} bytes`, {
    hint: 'Put it into a config, into the image or on a volume.',
  })
}
