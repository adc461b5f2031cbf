import type { Problems } from '../../problems.ts'
import { shown, type Node } from '../../syntax/tree.ts'
import { printedNumber } from './plain-numbers.ts'
import { textOf } from './values.ts'

/**
 * Permission bits, or null when the file says nothing. As in Compose a text is octal, and a number is what YAML makes
 * of it: `0440` and `0o440` are octal, `440` is decimal, which a person hardly means.
 */
export function modeOf(node: Node | undefined, problems: Problems): number | null {
  const text = textOf(node, problems)?.trim()
  if (node?.kind !== 'scalar' || text === undefined || text === '') return null
  const isNumber = !node.isQuoted && typeof node.value === 'number'
  const mode = isNumber ? numberOf(node.source) : octalOf(text)
  if (mode === null || mode > 0o7777) {
    problems.error(node, `${shown(node)} is not a file mode`, 'write 0440')
    return null
  }
  if (isNumber && /^[1-7][0-7]{2,3}$/.test(node.source)) {
    problems.warn(
      node,
      `${node.source} is a decimal number, which gives the mode ${octal(mode)}`,
      `write 0${node.source}, or "${node.source}" in quotes`,
    )
  }
  return mode
}

function numberOf(source: string): number | null {
  const isMistaken = /^0\d*[89]/.test(source)
  const number = isMistaken ? '' : (printedNumber(source) ?? '')
  return /^\d{1,9}$/.test(number) ? Number(number) : null
}

function octalOf(text: string): number | null {
  return /^(0o)?[0-7]{1,5}$/.test(text) ? Number.parseInt(text.replace('0o', ''), 8) : null
}

function octal(mode: number): string {
  return `0${mode.toString(8)}`
}
