/** `<rack>-<app>`, the app's network. */
export function networkName(rack: string, app: string): string {
  return `${rack}-${app}`
}

/** `<rack>-<app>-<type>-<id>`. */
export function containerName(rack: string, app: string, type: string, process: string): string {
  return `${rack}-${app}-${type}-${process.toLowerCase()}`
}

/** `<rack>-<app>-<volume>`. */
export function volumeName(rack: string, app: string, volume: string): string {
  return `${rack}-${app}-${volume}`
}
