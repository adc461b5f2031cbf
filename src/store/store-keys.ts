import { hkdfSync } from 'node:crypto'
import { dirname, join } from 'node:path'
import { RackError } from '../domain/error.ts'
import { writeFileAtomically } from '../lib/atomic-file.ts'
import { readTextIfThere } from '../lib/files.ts'
import { createKeyFile, keyBytes, readKeyFile } from './key-file.ts'

/** Where a key of the store is. */
export interface KeySource {
  /** For people: `the key file /srv/rack/rack.key`. */
  name: string
  /** What to do where the store was sealed with another. */
  hint: string
  /** Null where there is none yet. @throws store-failed */
  read(): Promise<Buffer | null>
  /** Keeps a fresh one; one that is there already stays. @returns the one that is kept. @throws store-failed, disk-full */
  create(fresh: Uint8Array): Promise<Buffer>
}

/** A line of text that is kept outside of the database. */
export interface KeptText {
  read(): Promise<string | null>
  /** Whole or not at all. */
  write(text: string): Promise<void>
}

/** What a store is opened with, so that who has the database alone can neither read what is secret, nor write the audit, nor cut it. */
export interface StoreKeys {
  seals: KeySource
  audit: KeySource
  /** How far the audit has come. */
  auditHead: KeptText
}

/** Files beside the rack's key, which make themselves at first use. */
export function keysOfFile(keyFile: string): StoreKeys & { paths: string[] } {
  const directory = dirname(keyFile)
  const [auditKey, auditHead] = [join(directory, 'audit.key'), join(directory, 'audit.head')]
  return {
    seals: fileSource(keyFile),
    audit: fileSource(auditKey),
    auditHead: {
      read: () => readTextIfThere(auditHead),
      write: (text) => writeFileAtomically(auditHead, text, { mode: 0o600 }),
    },
    paths: [keyFile, auditKey, auditHead],
  }
}

function fileSource(path: string): KeySource {
  return {
    name: `the key file ${path}`,
    hint: "Put back the key file that belongs to this store; a backup of the rack's directory has it.",
    read: () => readKeyFile(path),
    create: (fresh) => createKeyFile(path, fresh),
  }
}

/** What a random text of so many letters holds is more than can be guessed. */
const shortestText = 32

/**
 * Keys that are made of one secret text, for who has nothing that lasts but the database and what keeps the head.
 * @param source for people: where the text is
 * @throws invalid for a text that could be guessed
 */
export function keysOfText(text: string, source: string, auditHead: KeptText): StoreKeys {
  if (text.length < shortestText) {
    throw new RackError('invalid', `${source} has less than ${shortestText} letters, and could be guessed`)
  }
  const made = (purpose: string): KeySource => {
    const key = Buffer.from(hkdfSync('sha256', text, '', `rack ${purpose}`, keyBytes))
    return {
      name: `the key that ${source} gives`,
      hint: `Put back ${source} as it was when the store was made: nothing else opens what is sealed.`,
      read: async () => key,
      create: async () => key,
    }
  }
  return { seals: made('store'), audit: made('audit'), auditHead }
}
