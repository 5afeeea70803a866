export const verifyHelp = `
What is checked
  Every entry's bytes are hashed again and compared with its leaf; the leaves are built into the tree again and
  compared with every head the server recorded; numbers must run from 0 without gap or repetition; every column the
  server searches by must say what the entry says; the triggers that refuse changes must be in place.

What that proves
  Somebody with full rights over the database can change an entry and everything computed from it. That is found only
  against a head kept elsewhere. Write one down from time to time, and give it here:
    countersign trail head > head-of-today
    countersign trail verify --head "$(cat head-of-today)"
  A signed checkpoint serves as well, and shows whoever doubts you that this server said so:
    curl -o checkpoint https://countersign.example.com/trail/checkpoint
    countersign trail verify --checkpoint checkpoint --key "$(cat key-of-the-log)"

Exit code
  0 nothing was changed · 1 something was changed (it says what and where) · 2 it could not be checked

Examples
  countersign trail verify                            the server of this folder, or of COUNTERSIGN_DATABASE_URL
  countersign trail verify --from 5000 --to 6000      those entries; what came before is trusted
  countersign trail verify trail.jsonl --key KEY      an export, with no database and no network
  countersign trail verify trail.jsonl --key KEY --archive ./archives
                                                      with entries that were removed after their time
  countersign trail verify 4711.tlog-proof --key KEY  one entry, likewise
  countersign trail verify grown.json --key KEY       that a log continues what was signed before
  countersign trail verify --server https://countersign.example.com --key KEY
                                                      over the network; with COUNTERSIGN_TOKEN entries too, else hashes`

export const proveHelp = `
An entry's proof is a C2SP tlog-proof: the entry itself, the path from its hash to the root, and the newest signed
checkpoint. Whoever has it and the key of the log needs nothing else, neither you nor this server. With --since it proves
that the log begins with everything that an older checkpoint counted, and nothing of it was changed.

Exit code
  0 it was proven · 2 it could not be: no such entry, nothing signed yet, or not this log

Examples
  countersign trail prove 4711 --out 4711.tlog-proof
  countersign trail verify 4711.tlog-proof --key "$(cat key-of-the-log)"
  countersign trail prove --since checkpoint-of-last-year --out grown.json`

export const fsckHelp = `
Besides what "trail verify" looks at: every signed checkpoint is the key's and fits the log; every tile has the root its
hashes have, and none is missing; every committed entry has its number, or will get one; every sealed fact has its key's
record. Run it after a restore, and whenever the server logged something odd about the trail. It changes nothing.

Exit code
  0 all is whole · 1 something is not (it says what and where) · 2 it could not be checked

Examples
  countersign trail fsck
  countersign trail fsck --json`

export const headHelp = `
Keep it where whoever runs the server cannot change it: "trail verify --head" holds the log against it later.

Exit code
  0 printed · 2 it could not be read

Example
  countersign trail head >> heads-of-the-log.txt`

export const exportHelp = `
An export is JSON Lines: entries in order with their leaf hashes, the heads between them, and the newest signed checkpoint.
"countersign trail verify" checks one with no database and no network, and so does docs/verify/verify.py, which shares no
line with it. Personal facts in it stay sealed. With --from and --to it holds the entries between two recorded heads.

Exit code
  0 written · 2 it could not be, or the file is there already

Examples
  countersign trail export trail.jsonl
  countersign trail export january.jsonl --from 5000 --to 9000`
