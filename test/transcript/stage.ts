import type { Said } from '../support/command-line.ts'

/** Of the rack. A certificate for all names below it is believed by browsers, which `*.localhost` is not. */
export const domain = 'apps.example.test'

/** Where a transcript is played: an account or a machine, with nothing of Rack in it at first. */
export interface Stage extends AsyncDisposable {
  /** What is typed to see what an installation would make, and what it says; null where there is nothing to see. */
  plan: { words: string[]; says: RegExp } | null
  /** Types the installation. */
  install(): Promise<Said>
  /** What is typed to leave. */
  uninstall: string[]
  type(words: string[]): Promise<Said>
  /** Where apps are reached once it is installed, and whom a visitor believes. */
  door(): Promise<Door>
  /** How an image of Docker Hub is called where that is not reached. */
  image(name: string): Promise<string>
  /** What makes a Redis that apps share, of the image that its files name. */
  service(image: string): string[]
  /** What answers a visitor of the guestbook who comes by plain http. */
  plainStatus: number
  /** What of an installation is there. */
  left(): Promise<string[]>
  /** Of that, what is allowed to stay when it has left. */
  stays: string[]
}

export interface Door {
  /** Ports of 127.0.0.1. */
  http: number
  https: number
  /** PEM. */
  ca: string
}
