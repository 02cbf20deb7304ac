/* A 32-bit program: forks a child that exits with 3, and never waits for it. */
.globl _start
_start:
  mov $2, %eax /* fork */
  int $0x80
  test %eax, %eax
  jz child
again:
  mov $29, %eax /* pause */
  int $0x80
  jmp again
child:
  mov $1, %eax /* exit */
  mov $3, %ebx
  int $0x80
