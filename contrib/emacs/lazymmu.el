;;; lazymmu.el --- Check kernel source with lazymmu -*- lexical-binding: t -*-

;; SPDX-License-Identifier: GPL-2.0-or-later
;; Version: 0.1.0
;; Package-Requires: ((emacs "27.1"))

;;; Commentary:

;; `M-x lazymmu-check' checks the tree that the current buffer is in; `next-error' (`M-g n') goes
;; from finding to finding and along each path.  Copy this file into a directory of `load-path', and
;; say (autoload 'lazymmu-check "lazymmu" nil t).

;;; Code:

(require 'compile)

(defgroup lazymmu nil
  "Check Linux kernel source against the contract of the lazy MMU mode."
  :group 'tools)

(defcustom lazymmu-program "lazymmu"
  "The program."
  :type 'string)

(defcustom lazymmu-options "--quiet"
  "What it is told besides, such as \"--arch x86 --since origin/master\"."
  :type 'string)

(defvar lazymmu-error-regexp
  '("^\\(.+?\\):\\([1-9][0-9]*\\):\\([1-9][0-9]*\\): \\(?:error\\|\\(warning\\)\\|\\(info\\|note\\)\\): "
    1 2 3 (4 . 5))
  "A line of --format gcc, as `compilation-error-regexp-alist' takes it.")

(define-compilation-mode lazymmu-mode "lazymmu"
  "Findings of lazymmu."
  (setq-local compilation-error-regexp-alist (list lazymmu-error-regexp)))

;; A kernel tree has a Kconfig in nearly each directory; the outermost one is the tree's.
(defun lazymmu--top ()
  "The outermost directory above the current buffer that has a Kconfig, or nil."
  (let ((folder (locate-dominating-file default-directory "Kconfig")) top)
    (while folder
      (setq top folder
            folder (locate-dominating-file (file-name-directory (directory-file-name folder))
                                           "Kconfig")))
    top))

;;;###autoload
(defun lazymmu-check (tree)
  "Check the kernel source at TREE, and show what is found."
  (interactive (list (or (lazymmu--top) (read-directory-name "Kernel tree: "))))
  (let ((default-directory (file-name-as-directory (expand-file-name tree))))
    (compilation-start
     (concat (shell-quote-argument lazymmu-program) " check --format gcc "
             lazymmu-options " .")
     #'lazymmu-mode)))

(provide 'lazymmu)

;;; lazymmu.el ends here
