const integer = /^([+-]?)(0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|0|[1-9]\d*)$/
const decimal = /^[-+]?(\.\d+|\d+(\.\d*)?)([eE][-+]?\d+)?$/
const special: Record<string, string> = {
  '.inf': '+Inf',
  '+.inf': '+Inf',
  '-.inf': '-Inf',
  '.nan': 'NaN',
}
/** Longer ones are no numbers that anybody wrote. */
const longest = 64

/**
 * What Compose makes of a number that stands without quotes, printed as Compose prints it: `010` is 8, `1_000` is 1000,
 * `1.10` is 1.1; null when it is text.
 * @see the function `resolve` of Go's yaml.v3, and the verb `%v` of Go's fmt
 */
export function printedNumber(source: string): string | null {
  if (source.length > longest) return null
  const named = special[source.toLowerCase()]
  if (named !== undefined) return named
  if (!/^[-+.\d]/.test(source)) return null
  const text = source.replaceAll('_', '')
  const [, sign = '', digits] = integer.exec(text) ?? []
  if (digits !== undefined && text !== '-0') {
    const value = BigInt(/^0[0-7]+$/.test(digits) ? `0o${digits}` : digits.toLowerCase())
    const isMinus = sign === '-' && value > 0n
    if (value < 2n ** (isMinus ? 63n : 64n)) return `${isMinus ? '-' : ''}${value}`
  }
  const value = decimal.test(text) ? Number(text) : Number.NaN
  return Number.isFinite(value) ? printedFloat(value) : null
}

/** The shortest digits that give the same number; with an exponent below 0.0001 and from 1e+06 on. */
function printedFloat(value: number): string {
  if (value === 0) return Object.is(value, -0) ? '-0' : '0'
  const [mantissa = '0', exponent = '0'] = value.toExponential().split('e')
  const power = Number(exponent)
  if (power >= -4 && power < 6) return String(value)
  return `${mantissa}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`
}

/** Whether YAML 1.1 sees a date, which Compose prints in another form than the file has. */
export function isDate(source: string): boolean {
  return /^\d{4}-\d{1,2}-\d{1,2}([Tt \t].*)?$/.test(source)
}
