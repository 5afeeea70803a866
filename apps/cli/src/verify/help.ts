export const approvalHelp = `
What is checked
  That a passkey signed exactly this decision: what was asked, yes or no, the reason, who decides, for which site, with its
  user verified. The file says nothing that is not checked; any change of it is found. No server is asked.

What is trusted is yours to say; without it nothing is verified
  --key         public key of a passkey (registration.public_key), from its owner or an earlier export
  --log-key     public key of the log (GET /trail/key): the trail's entries of the decision and of the passkey's
                registration are verified as well; needs a file exported with proofs
  --checkpoint  a signed checkpoint you kept: the proofs must be under exactly this one

Exit code
  0 everything holds · 1 something does not (it says what) · 2 it could not be checked

Examples
  countersign verify approval approval.json --log-key "$(cat key-of-the-log)"
  countersign verify approval approval.json --key pQECAyYgASFYIF…`
