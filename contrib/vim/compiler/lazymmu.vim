" SPDX-License-Identifier: GPL-2.0-or-later
" Vim compiler file: `:compiler lazymmu`, then `:make .` (or another tree).
" Copy it to ~/.vim/compiler/. `:cnext` walks a finding's path after the finding.

if exists("current_compiler")
  finish
endif
let current_compiler = "lazymmu"

let s:cpo_save = &cpo
set cpo&vim

" --quiet: the summary is no place to jump to; losses are still said.
CompilerSet makeprg=lazymmu\ check\ --quiet\ --format\ gcc
CompilerSet errorformat=
      \%f:%l:%c:\ %trror:\ %m,
      \%f:%l:%c:\ %tarning:\ %m,
      \%f:%l:%c:\ %tnfo:\ %m,
      \%f:%l:%c:\ %tote:\ %m,
      \lazymmu:\ %m,
      \%-G%.%#

let &cpo = s:cpo_save
unlet s:cpo_save
