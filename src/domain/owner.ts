/**
 * Whose a plan is, and all that runs by it: an app's or a service's. Each kind has names of its own, so an app and a
 * service that are called the same never meet.
 */
export interface Owner {
  kind: 'app' | 'service'
  name: string
}

/** What is of an owner. */
export interface Owned {
  owner: Owner
}

/** The same, as those see it who work with apps alone. */
export type OfApp<T extends Owned> = Omit<T, 'owner'> & { app: string }

export function appOwner(name: string): Owner {
  return { kind: 'app', name }
}

/** What is an app's, under the app's name. */
export function ofApp<T extends Owned>({ owner, ...rest }: T): OfApp<T> {
  return { app: owner.name, ...rest }
}

export function isOfApp({ owner }: Owned): boolean {
  return owner.kind === 'app'
}

export function isSameOwner(a: Owner, b: Owner): boolean {
  return a.kind === b.kind && a.name === b.name
}

/** No app is called so, and no service: what follows is a service's name. */
const servicePrefix = '_'

/** One word for an owner, of which names of things are made: an app's name, or `_` and a service's. */
export function ownerKey({ kind, name }: Owner): string {
  return kind === 'app' ? name : servicePrefix + name
}

/** The owner of a key that `ownerKey` has made. */
export function readOwnerKey(key: string): Owner {
  const isService = key.startsWith(servicePrefix)
  return isService ? { kind: 'service', name: key.slice(servicePrefix.length) } : appOwner(key)
}

/** `the app shop`, for people. */
export function ownerText({ kind, name }: Owner): string {
  return `the ${kind} ${name}`
}

/** Orders what is listed: by name, an app before a service that is called the same. */
export function compareOwners(a: Owner, b: Owner): number {
  const [left, right] = [`${a.name} ${a.kind}`, `${b.name} ${b.kind}`]
  return left < right ? -1 : left > right ? 1 : 0
}

/** What to type next about an app. A service's own verbs say what to type about it. */
export function appHint({ kind, name }: Owner, command: string): { hint?: string } {
  return kind === 'app' ? { hint: `${command} --app ${name}` } : {}
}
