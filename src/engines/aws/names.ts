import { createHash } from 'node:crypto'
import { portsStackName } from '../../domain/aws-places.ts'
import { makeId } from '../../domain/id.ts'
import { ownerKey, readOwnerKey, type Owner } from '../../domain/owner.ts'
import { shortHash } from '../../lib/short-hash.ts'

/** No app is called so, since its name begins with a letter: what follows is a service's name. */
const servicePrefix = '0s-'

/** One word for an owner, as it stands in every name: an app's name, or `0s-` and a service's. */
export function ownerWord({ kind, name }: Owner): string {
  return kind === 'app' ? name : servicePrefix + name
}

/** The owner of such a word. */
export function readOwnerWord(word: string): Owner {
  return word.startsWith(servicePrefix)
    ? { kind: 'service', name: word.slice(servicePrefix.length) }
    : { kind: 'app', name: word }
}

/** The same for what there is once: a job of an identity, the release command of a release. */
export function fixedGenerationId(text: string): string {
  return `G${hashedProcessId(text).slice(1)}`
}

/** What images of a service are built for, as the contract has it (`BuildRequest.app`): no app has a dot in its name. */
const imagesOfService = /^service\.(.+)$/

/** Whose images those of a build are. */
export function imagesOwner(app: string): Owner {
  const service = imagesOfService.exec(app)?.[1]
  return service === undefined ? { kind: 'app', name: app } : { kind: 'service', name: service }
}

/** A generation: copies of one type that are made from the same; `G` and ten capitals tell them apart. */
export interface GenerationName {
  owner: Owner
  type: string
  id: string
}

export function makeGenerationId(randomBytes: (count: number) => Uint8Array): string {
  return `G${makeId('P', randomBytes).slice(1)}`
}

/** Of the ECS service and of the family of task definitions. No name of an app or a type has a `_`. */
export function generationName({ owner, type, id }: GenerationName): string {
  return `${ownerWord(owner)}_${type}_${id}`
}

const generationPattern = /^([a-z0-9-]+)_([a-z0-9-]+)_(G[A-Z]{10})$/

/** Null for a name that is none of ours. */
export function readGenerationName(name: string): GenerationName | null {
  const [, word, type, id] = generationPattern.exec(name) ?? []
  return word && type && id ? { owner: readOwnerWord(word), type, id } : null
}

/** What all names of an owner's services begin with. */
export function ownerPrefix(owner: Owner): string {
  return `${ownerWord(owner)}_`
}

/** Of Secrets Manager; further parts of what one does not hold are `-1`, `-2`, … */
export function secretName(rack: string, { owner, type, id }: GenerationName): string {
  return `rack/${rack}/${ownerWord(owner)}/${type}-${id}`
}

/** Of Cloud Map, inside `members.R.internal`. */
export function memberName({ id }: Pick<GenerationName, 'id'>): string {
  return id.toLowerCase()
}

/** Of the target group of one container port behind one way in. A target group has 32 characters, letters in front. */
export function targetGroupName(rack: string, generation: GenerationName, way: string): string {
  const text = [rack, generationName(generation), way].join(' ')
  return `r-${createHash('sha256').update(text).digest('hex').slice(0, 28)}`
}

/** The zone of the rack's names inside. */
function zoneName(rack: string): string {
  return `${rack}.internal`
}

function namespaceName(rack: string): string {
  return `members.${zoneName(rack)}`
}

/** What the processes of an owner look names up in. */
export function searchDomain(rack: string, owner: Owner): string {
  return `${ownerWord(owner)}.${zoneName(rack)}`
}

/** By what a name of a type is found. */
export function insideName(rack: string, owner: Owner, name: string): string {
  return `${name}.${searchDomain(rack, owner)}`.toLowerCase()
}

/** By what the copies of a generation are found. */
export function membersName(rack: string, generation: Pick<GenerationName, 'id'>): string {
  return `${memberName(generation)}.${namespaceName(rack)}`
}

export function appStackName(rack: string, owner: Owner): string {
  return `rack-${rack}-app-${ownerWord(owner)}`
}

/** Who comes in at the ports of an owner. */
export function openPortsStackName(rack: string, owner: Owner): string {
  return `${openPortsPrefix(rack)}${ownerWord(owner)}`
}

export const openPortsPrefix = (rack: string): string => `${portsStackName(rack)}-`

/** False for what leads out of the rack. */
export function isMembersName(rack: string, name: string): boolean {
  return name.endsWith(`.${namespaceName(rack)}`)
}

/** Of a service that the account runs. */
export function serviceStackName(rack: string, service: string): string {
  return `rack-${rack}-service-${service}`
}

/** Of IAM, which takes 64 characters (S): what is longer ends with what tells it apart. */
export function roleName(rack: string, owner: Owner, kind: 'execution' | 'task'): string {
  const whole = `${rack}-${ownerWord(owner)}-${kind}`
  return whole.length <= 64 ? whole : `${whole.slice(0, 47)}-${shortHash(whole)}`
}

export function logGroupName(rack: string, owner: Owner): string {
  return `/rack/${rack}/${ownerWord(owner)}`
}

/** Of the repository of an app's images. */
export function repositoryName(rack: string, owner: Owner): string {
  return `rack/${rack}/${ownerWord(owner)}`
}

/** What `awslogs` puts before `/main/TASK`: type and release stay known when the task is not. */
export function streamPrefix(type: string, release: string): string {
  return `${type}.${release}`
}

export function streamName(type: string, release: string, taskId: string): string {
  return `${streamPrefix(type, release)}/main/${taskId}`
}

/** Root of a volume on the file system. */
export function volumeRoot(owner: Owner, volume: string): string {
  return `/${ownerWord(owner)}/${volume}`
}

/** The object that says that a job has ended well. */
export function completedKey(owner: Owner, identity: string): string {
  return `${completedPrefix(owner)}${identity}`
}

export function completedPrefix(owner: Owner): string {
  return `engine/${ownerWord(owner)}/completed/`
}

/** The last part of an ARN of a task. */
export function taskIdOf(taskArn: string): string {
  return taskArn.slice(taskArn.lastIndexOf('/') + 1)
}

/** `P` and ten capitals: computed from the task, never stored. */
export function processIdOf(taskArn: string): string {
  return hashedProcessId(taskIdOf(taskArn))
}

/** The id of anything that is no task, such as the place of a copy that was parked. */
export function hashedProcessId(text: string): string {
  const bytes = createHash('sha256').update(text).digest()
  // 32 bytes have ten of up to 233 but once in ages, and then the id is one of the digest's digest.
  let round = bytes
  return makeId('P', (count) => {
    const given = round.subarray(0, count)
    round = createHash('sha256').update(round).digest()
    return given
  })
}

/** What a task outside services is grouped by: `run:shop_web`. */
export function taskGroup(kind: string, owner: Owner, type: string): string {
  return `${kind}:${ownerWord(owner)}_${type}`
}

/** Tags on every object; values of an owner are its key. */
export const tagNames = {
  rack: 'rack:name',
  owner: 'rack:app',
  type: 'rack:type',
  kind: 'rack:kind',
  release: 'rack:release',
  identity: 'rack:identity',
  operation: 'rack:operation',
  state: 'rack:state',
  cpu: 'rack:cpu',
  memory: 'rack:memory',
  created: 'rack:created',
  drain: 'rack:drain',
  volumes: 'rack:volumes',
  volumes2: 'rack:volumes-2',
  volumes3: 'rack:volumes-3',
  volumes4: 'rack:volumes-4',
  volumes5: 'rack:volumes-5',
  volumes6: 'rack:volumes-6',
  /** Number of the load balancer that a service's target groups of the web are behind. */
  balancer: 'rack:balancer',
  /** Id of the generation that something is a part of. */
  generation: 'rack:generation',
  /** How long a one-off may run, ms. */
  timeout: 'rack:timeout',
  /** How many copies of a generation were stopped to make room, and may come back. */
  parked: 'rack:parked',
} as const

export type TagName = keyof typeof tagNames

/** As a tag may be written: an owner's key. */
export function ownerTag(owner: Owner): string {
  return ownerKey(owner)
}

export function readOwnerTag(value: string): Owner {
  return readOwnerKey(value)
}

/** A tag of ECS is written with small first letters, everywhere else with capitals. */
export function ecsTags(values: Partial<Record<TagName, string>>): { key: string; value: string }[] {
  return Object.entries(values).map(([name, value]) => ({ key: tagNames[name as TagName], value }))
}

export function awsTags(values: Partial<Record<TagName, string>>): { Key: string; Value: string }[] {
  return Object.entries(values).map(([name, value]) => ({ Key: tagNames[name as TagName], Value: value }))
}

const namesOfTags = new Map(Object.entries(tagNames).map(([name, tag]) => [tag as string, name as TagName]))

/** Such tags, read. */
export function readAwsTags(
  tags: readonly { Key?: string | undefined; Value?: string | undefined }[] = [],
): Partial<Record<TagName, string>> {
  return readTags(tags.map(({ Key, Value }) => ({ key: Key, value: Value })))
}

export function readTags(
  tags: readonly { key?: string | undefined; value?: string | undefined }[] = [],
): Partial<Record<TagName, string>> {
  return Object.fromEntries(
    tags.flatMap(({ key = '', value = '' }) => {
      const name = namesOfTags.get(key)
      return name ? [[name, value]] : []
    }),
  )
}
