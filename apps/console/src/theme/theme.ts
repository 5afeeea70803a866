import { type CSSVariablesResolver, createTheme, type MantineColorsTuple } from '@mantine/core'

const accent: MantineColorsTuple = [
  '#eef1fc',
  '#dbe1f9',
  '#b6c2f3',
  '#94a8ff',
  '#6f86f2',
  '#5471ee',
  '#4563e6',
  '#2b4acb',
  '#233eb0',
  '#1b3190',
]

const gray: MantineColorsTuple = [
  '#f7f7f8',
  '#f3f3f5',
  '#e5e5e9',
  '#cfcfd6',
  '#b0b2bc',
  '#9092a0',
  '#656773',
  '#474953',
  '#2e3037',
  '#17181c',
]

const dark: MantineColorsTuple = [
  '#ebecef',
  '#b4b6c0',
  '#9092a0',
  '#737582',
  '#3b3d46',
  '#26272d',
  '#18191d',
  '#101114',
  '#0d0e10',
  '#0b0c0e',
]

/** Mantine's parts, dressed in our tokens. Sizes are those of a dense instrument: 30 px controls, 13 px words. */
export const theme = createTheme({
  fontFamily: 'var(--cs-font)',
  fontFamilyMonospace: 'var(--cs-mono)',
  headings: { fontFamily: 'var(--cs-font)', fontWeight: '600' },
  primaryColor: 'accent',
  primaryShade: { light: 7, dark: 6 },
  colors: { accent, gray, dark },
  defaultRadius: 6,
  cursorType: 'pointer',
  focusRing: 'auto',
  respectReducedMotion: true,
  fontSizes: { xs: '12px', sm: '13px', md: '14px', lg: '16px', xl: '20px' },
  lineHeights: { xs: '16px', sm: '20px', md: '20px', lg: '24px', xl: '28px' },
  components: {
    Button: {
      defaultProps: { size: 'compact-md', fw: 500 },
      styles: { root: { height: 30, paddingInline: 12, fontSize: 13 } },
    },
    TextInput: { defaultProps: { size: 'sm' } },
    PasswordInput: { defaultProps: { size: 'sm' } },
    Select: { defaultProps: { size: 'sm', checkIconPosition: 'right', allowDeselect: false } },
    Textarea: { defaultProps: { size: 'sm' } },
    NumberInput: { defaultProps: { size: 'sm' } },
    Checkbox: { defaultProps: { size: 'xs' } },
    Switch: { defaultProps: { size: 'sm' } },
    Tooltip: { defaultProps: { openDelay: 300, withArrow: false, fz: 12, maw: 360, multiline: true } },
    Modal: {
      defaultProps: {
        centered: false,
        yOffset: '12vh',
        transitionProps: { duration: 120, transition: 'fade' },
        overlayProps: { blur: 0 },
        // The second half of a double press, or one beside the form, would throw away what is typed into it.
        closeOnClickOutside: false,
      },
    },
    Drawer: { defaultProps: { transitionProps: { duration: 140 } } },
    Menu: { defaultProps: { shadow: 'float', transitionProps: { duration: 80 }, position: 'bottom-end' } },
    Popover: { defaultProps: { shadow: 'float', transitionProps: { duration: 80 } } },
    Notification: { defaultProps: { withBorder: true, closeButtonProps: { 'aria-label': 'Dismiss' } } },
    Tabs: { defaultProps: { variant: 'default' } },
    SegmentedControl: { defaultProps: { size: 'xs' } },
  },
  shadows: {
    xs: 'none',
    sm: 'none',
    md: 'var(--cs-float)',
    lg: 'var(--cs-float)',
    xl: 'var(--cs-float)',
    float: 'var(--cs-float)',
  },
})

const shared = {
  '--mantine-color-body': 'var(--cs-bg)',
  '--mantine-color-text': 'var(--cs-text)',
  '--mantine-color-bright': 'var(--cs-text)',
  '--mantine-color-dimmed': 'var(--cs-text-3)',
  '--mantine-color-placeholder': 'var(--cs-text-3)',
  '--mantine-color-anchor': 'var(--cs-accent-text)',
  '--mantine-color-default': 'var(--cs-raised)',
  '--mantine-color-default-hover': 'var(--cs-hover)',
  '--mantine-color-default-color': 'var(--cs-text)',
  '--mantine-color-default-border': 'var(--cs-line-strong)',
  '--mantine-color-error': 'var(--cs-blocked-text)',
}

/** Mantine's own colour variables follow the tokens, so that there is one place to change either. */
export const variables: CSSVariablesResolver = () => ({ variables: {}, light: shared, dark: shared })
