import { RackError } from '../domain/error.ts'

const wordPattern = /^[A-Za-z0-9._-]{1,200}$/
const longestKey = 1000

/**
 * Gives back a key that is safe as a path below a directory.
 * @throws invalid for one that leaves the directory or holds other signs than a key's
 */
export function checkKey(key: string): string {
  const isGood = key.length <= longestKey && key.split('/').every(isWord)
  if (!isGood) throw refusal(key)
  return key
}

/** A prefix is the beginning of a key: empty, cut anywhere, or ending in a slash. @throws invalid */
export function checkPrefix(prefix: string): string {
  const words = prefix.split('/')
  const last = words.pop() ?? ''
  const isGood =
    prefix.length <= longestKey && words.every(isWord) && (/^\.{0,2}$/.test(last) || isWord(last))
  if (!isGood) throw refusal(prefix)
  return prefix
}

function isWord(word: string): boolean {
  return wordPattern.test(word) && word !== '.' && word !== '..'
}

function refusal(key: string): RackError {
  return new RackError('invalid', `"${key.slice(0, 100)}" cannot be the key of an object`, {
    hint: 'A key is words of letters, digits, dots, dashes and underscores, with slashes between them.',
  })
}
