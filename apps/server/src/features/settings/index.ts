export { type ReadSetting, readSetting } from './read-setting.ts'
export { type ConfiguredSetting, type ManageSettings, manageSettings, settingRoutes } from './routes.ts'
export type { ConfiguredFallbacks, SettingName, SettingValue } from './settings.ts'
