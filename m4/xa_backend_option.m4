# SPDX-License-Identifier: GPL-3.0-or-later
#
# XA_BACKEND_OPTION(OPTION, BACKENDS, PREFIX, MODULES, HEADER, LIBRARY,
#                   FUNCTION, [NEEDS])
#
# Offer --with-OPTION=yes|no|check for a library that nothing but BACKENDS
# need. It is looked for as the pkg-config MODULES, then as FUNCTION in
# LIBRARY (without "lib") beside HEADER. NEEDS is the OPTION of an earlier
# call without which these backends cannot be built either.
#
# Afterwards with_OPTION is yes or no, PREFIX_CFLAGS and PREFIX_LIBS are
# substituted, automake knows WITH_PREFIX, and BACKENDS stand in
# $xa_backends or in $xa_left_out, for the summary.
AC_DEFUN([XA_BACKEND_OPTION],
[AC_ARG_WITH([$1],
  [AS_HELP_STRING([--with-$1=yes|no|check], [build $2 @<:@check@:>@])],
  [], [with_$1=check])
AS_CASE([$with_$1], [yes|no|check], [],
  [AC_MSG_ERROR([--with-$1 is yes, no or check, not `$with_$1'])])
m4_ifval([$8],
  [AS_CASE([$with_$1:$with_$8],
    [yes:no], [AC_MSG_ERROR([--with-$1 needs --with-$8])],
    [check:no], [with_$1=no])])
xa_found=no
AS_IF([test "x$with_$1" != xno],
  [PKG_CHECK_MODULES([$3], [$4], [xa_found=yes],
    [AC_CHECK_HEADER([$5],
      [AC_CHECK_LIB([$6], [$7], [xa_found=yes $3_LIBS=-l$6])])])])
AS_CASE([$with_$1:$xa_found],
  [yes:no], [AC_MSG_ERROR([--with-$1: neither $4.pc nor $5 is there])])
with_$1=$xa_found
AM_CONDITIONAL([WITH_$3], [test "x$with_$1" = xyes])
AS_IF([test "x$with_$1" = xyes],
  [xa_backends="$xa_backends $2"],
  [xa_left_out="$xa_left_out $2"])
])
