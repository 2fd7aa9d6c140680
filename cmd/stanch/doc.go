// Command stanch finds leaked AWS keys, proves which are live and says how to shut them off.
// This file is its manual.
package main

// manual is the long help of the command stanch. The help lists a command beside this table
// unless a line of it begins with the command.
const manual = `stanch finds leaked AWS keys in git repositories and files, asks AWS which of them
are live, and shuts those off. "stanch COMMAND --help" explains a command.

Scan
  stanch git             this repository with all its history; or a PATH, or a URL
  stanch dir .           files as they are on disk, or a saved image
  stanch stdin           the output of another program
  stanch github ORG      all repositories of a GitHub organization or user
  stanch sweep run       organizations again and again (releases, or -tags sweep)

Guard
  stanch hook install    git refuses commits and pushes with keys
  stanch ci              CI refuses pushes and pull requests with keys
  stanch baseline        list the leaks that are known, to hear of new ones only
  stanch allow           ignore a finding from now on, with a reason

Respond
  stanch verify FILE     are reported keys still live? (--iam needs no secrets)
  stanch assess FILE     how dangerous are the live ones?
  stanch respond         shut them off, with a plan, a journal and an undo
  stanch report FILE     make a page, SARIF, JUnit or Markdown of a saved scan

Configure
  stanch init            write a configuration with samples in comments
  stanch inventory       list your own keys, hashed, for scans to recognise
  stanch migrate         turn rules and ignore files of other tools into ours
  stanch rules           list the rules, and what to do about each finding
  stanch completion      make a shell complete commands and flags

A leaked key is used for one call at AWS, sts:GetCallerIdentity; --no-verify sends
nothing. Secrets are printed only with --show-secrets.

Exit status: 0 no leaks; 1 leaks (see --fail-on); 2 wrong usage, or refused by a
gate; 3 not all could be read, written or shut off, whatever else was found;
130 interrupted; 141 the reader of the output closed its pipe.`
