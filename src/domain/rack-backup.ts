/** What a backup of a whole rack is asked to hold, besides what the rack itself keeps. */
export interface RackBackupScope {
  /** The data of apps' volumes. */
  volumes: boolean
  /** The data of services that run here. */
  services: boolean
  /** The images of what is live. */
  images: boolean
}

/** By what a backup of a rack is sealed; the secret that it was made of stays where it was typed. */
export interface RackBackupSeal {
  /** 32 bytes. */
  key: Uint8Array
  /** What stands before the sealed part, in clear: without just this one it does not open. */
  head: string
}

/** What a backup of a rack holds, and what not. */
export interface RackBackupContents {
  rack: string
  /** Of Rack, when it was made. */
  version: string
  /** RFC 3339. */
  created: string
  /** How many images. */
  images: number
  /** `APP/VOLUME` */
  volumes: string[]
  services: string[]
  /** What a person may miss in it, a sentence each. */
  lacks: string[]
}

/** One that is put back and has not been taken in to its end. */
export interface Restoring {
  /** `images`, `volume APP/NAME`, `service NAME`. */
  left: string[]
  /** Why it does not get on; null while it does. */
  failed: string | null
}

/** As what the sealed part of a backup is bound to its head. */
export function rackBackupPlace(head: string): string[] {
  return ['rack backup', head]
}

/** What rests of a backup in the directory of its rack until the daemon has taken it in: keys of objects. */
export const restoredKeys = {
  prefix: 'restore/',
  images: 'restore/images',
  volume: (app: string, name: string) => `restore/volumes/${app}/${name}`,
  service: (name: string) => `restore/services/${name}`,
}

/** Parts of a backup besides the objects, which are called `objects/KEY`. */
export const rackBackupParts = { contents: 'contents.json', installation: 'rack.json', objects: 'objects/' }
