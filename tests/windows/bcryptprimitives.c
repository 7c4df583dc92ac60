// The one function of bcryptprimitives.dll that Rust calls, for a Wine without it.
#include <windows.h>
#include <ntsecapi.h>

__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE octets, SIZE_T length) {
  return RtlGenRandom(octets, (ULONG)length);
}
