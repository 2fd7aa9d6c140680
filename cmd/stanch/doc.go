// Command stanch finds leaked AWS keys, proves which are live and says how to shut them off.
// This file is its manual.
package main

// manual is the long help of the command stanch.
const manual = `stanch finds leaked AWS keys in git repositories and files, pairs ids with their
secrets, asks AWS which of them are live, and says what to do.

  stanch git                 the whole history of this repository
  stanch github ORG          all repositories of a GitHub organization
  stanch sweep run           organizations again and again, only what is new
  stanch dir .               the files as they are on disk
  stanch baseline            list the leaks that are known, and hear of new ones only
  stanch hook install        hooks of git, against commits and pushes of keys
  stanch ci                  what a push or pull request brings, in CI
  stanch git --format json   for programs; "stanch report" converts it later
  stanch verify              are the keys of a saved report still live?
  stanch assess              how dangerous the live ones are
  stanch respond             shut them off, with a plan, a journal and an undo

A leaked key is used for one kind of call only, sts:GetCallerIdentity, at AWS's
own host; --no-verify sends nothing. Secrets are never printed unless
--show-secrets asks for it.

Exit status: 0 no leaks; 1 leaks (see --fail-on); 2 wrong usage, or refused by a
gate; 3 something could not be read, found, cloned, written or shut off, whatever
else was found; 130 interrupted; 141 the reader of the output closed its pipe.`
