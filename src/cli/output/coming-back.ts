const pauseMs = 1000

/** Says how many apps are still to come back after a start: at first, at most every second, and at the end. */
export function tellComingBack(
  started: string,
  say: (text: string) => void,
): { tell: (comingBack: number) => void; end: (isReady: boolean) => void } {
  let hasTold = false
  let nextMs = 0
  return {
    tell(comingBack) {
      if (comingBack === 0 || performance.now() < nextMs) return
      const apps = comingBack === 1 ? '1 app is' : `${comingBack} apps are`
      say(hasTold ? `${apps} still coming back` : `${started}; ${apps} coming back`)
      hasTold = true
      nextMs = performance.now() + pauseMs
    },
    end(isReady) {
      if (!hasTold) say(started)
      else if (isReady) say('all apps are back')
    },
  }
}
