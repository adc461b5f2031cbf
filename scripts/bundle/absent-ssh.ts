/** Stands in the bundle for ssh2, which docker-modem loads at its start (5 MB, a WASM module) to reach Docker by ssh. */
export function Client(): never {
  throw new Error('this program does not reach Docker by ssh; forward its socket instead')
}
