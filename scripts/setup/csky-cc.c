/*
 * A C compiler for the chip: clang reads C, the LLVM inside the Rust toolchain, which can generate C-SKY code, writes
 * the object.
 *
 *     csky-cc <clang's options> -o <object> <source>...
 *
 * Two of them need not agree on a version: newer LLVMs read the bitcode of older ones. LLVM's C interface is stable;
 * the few functions of it are declared here, since the toolchain brings no headers. scripts/setup/csky-cc.sh builds
 * this program with CLANG set to the path of clang.
 */
#define _GNU_SOURCE
#include <spawn.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* LLVM's C interface. */
typedef struct context *LLVMContextRef;
typedef struct buffer *LLVMMemoryBufferRef;
typedef struct module *LLVMModuleRef;
typedef struct target *LLVMTargetRef;
typedef struct machine *LLVMTargetMachineRef;
typedef struct layout *LLVMTargetDataRef;
typedef struct pass_options *LLVMPassBuilderOptionsRef;
typedef struct error *LLVMErrorRef;
typedef struct value *LLVMValueRef;
enum { LLVM_PRIVATE = 9 };
enum { LLVM_OPTIMISED = 2, LLVM_STATIC = 1, LLVM_DEFAULT_CODE_MODEL = 0, LLVM_OBJECT_FILE = 1 };

void LLVMInitializeCSKYTargetInfo(void);
void LLVMInitializeCSKYTarget(void);
void LLVMInitializeCSKYTargetMC(void);
void LLVMInitializeCSKYAsmPrinter(void);
void LLVMInitializeCSKYAsmParser(void);
void LLVMParseCommandLineOptions(int count, const char *const *options, const char *overview);
LLVMContextRef LLVMContextCreate(void);
int LLVMCreateMemoryBufferWithContentsOfFile(const char *path, LLVMMemoryBufferRef *buffer, char **message);
int LLVMParseIRInContext(LLVMContextRef context, LLVMMemoryBufferRef buffer, LLVMModuleRef *module, char **message);
int LLVMGetTargetFromTriple(const char *triple, LLVMTargetRef *target, char **message);
LLVMTargetMachineRef LLVMCreateTargetMachine(LLVMTargetRef target, const char *triple, const char *cpu,
                                             const char *features, int level, int relocation, int code_model);
LLVMValueRef LLVMGetFirstFunction(LLVMModuleRef module);
LLVMValueRef LLVMGetNextFunction(LLVMValueRef function);
LLVMValueRef LLVMGetFirstGlobal(LLVMModuleRef module);
LLVMValueRef LLVMGetNextGlobal(LLVMValueRef variable);
LLVMValueRef LLVMGetInitializer(LLVMValueRef variable);
int LLVMIsDeclaration(LLVMValueRef global);
int LLVMIsGlobalConstant(LLVMValueRef variable);
int LLVMIsNull(LLVMValueRef value);
int LLVMGetLinkage(LLVMValueRef global);
const char *LLVMGetValueName2(LLVMValueRef value, size_t *length);
const char *LLVMGetSection(LLVMValueRef global);
void LLVMSetSection(LLVMValueRef global, const char *section);
LLVMTargetDataRef LLVMCreateTargetDataLayout(LLVMTargetMachineRef machine);
void LLVMSetModuleDataLayout(LLVMModuleRef module, LLVMTargetDataRef layout);
void LLVMSetTarget(LLVMModuleRef module, const char *triple);
LLVMPassBuilderOptionsRef LLVMCreatePassBuilderOptions(void);
LLVMErrorRef LLVMRunPasses(LLVMModuleRef module, const char *passes, LLVMTargetMachineRef machine,
                           LLVMPassBuilderOptionsRef options);
char *LLVMGetErrorMessage(LLVMErrorRef error);
int LLVMTargetMachineEmitToFile(LLVMTargetMachineRef machine, LLVMModuleRef module, const char *path, int kind,
                                char **message);

/* As linker/csky-w800-none-elfabiv2.json has it. */
#define TRIPLE "csky-unknown-none-elfabiv2"
#define CPU "ck804ef"
#define FEATURES "+hard-float,+hard-float-abi,+fpuv2_sf"

/*
 * disable-machine-licm: LLVM for C-SKY takes a division out of a loop, before the test of its divisor for zero, as if
 * it could not trap; on this core it does.
 */
static const char *const code_generator[] = {"csky-cc", "-float-abi=hard", "-disable-machine-licm"};

static const char *const front_end[] = {
    CLANG,
    "--target=csky-unknown-elf",
    "-mcpu=ck804ef",
    "-mhard-float",
    "-funsigned-char",
    "-Os",
    "-Xclang",
    "-disable-llvm-passes",
    "-emit-llvm",
    "-c",
    "-nostdlibinc",
    "-D__IEEE_LITTLE_ENDIAN",
    "-isystem",
    "/usr/include/newlib",
};

#define COUNT(array) (sizeof(array) / sizeof *(array))

extern char **environ;

static _Noreturn void fail(const char *what, const char *why)
{
    fprintf(stderr, "csky-cc: %s: %s\n", what, why);
    exit(EXIT_FAILURE);
}

/* Lets clang compile `arguments` (whose last is followed by NULL) to `bitcode`. */
static void run_clang(char **arguments, size_t count, const char *bitcode)
{
    const char **all = calloc(COUNT(front_end) + count + 3, sizeof *all);
    if (all == NULL) {
        fail("clang", "no memory");
    }
    memcpy(all, front_end, sizeof front_end);
    memcpy(all + COUNT(front_end), arguments, count * sizeof *all);
    all[COUNT(front_end) + count] = "-o";
    all[COUNT(front_end) + count + 1] = bitcode;
    pid_t process;
    int status;
    if (posix_spawn(&process, CLANG, NULL, NULL, (char *const *)all, environ) != 0) {
        fail(CLANG, "cannot be started");
    }
    if (waitpid(process, &status, 0) != process || status != 0) {
        exit(EXIT_FAILURE);
    }
    free(all);
}

static LLVMModuleRef read_bitcode(const char *path)
{
    LLVMMemoryBufferRef buffer;
    LLVMModuleRef module;
    char *message = NULL;
    if (LLVMCreateMemoryBufferWithContentsOfFile(path, &buffer, &message) != 0 ||
        LLVMParseIRInContext(LLVMContextCreate(), buffer, &module, &message) != 0) {
        fail(path, message);
    }
    return module;
}

static LLVMTargetMachineRef chip(void)
{
    LLVMTargetRef target;
    char *message = NULL;
    LLVMInitializeCSKYTargetInfo();
    LLVMInitializeCSKYTarget();
    LLVMInitializeCSKYTargetMC();
    LLVMInitializeCSKYAsmPrinter();
    LLVMInitializeCSKYAsmParser();
    LLVMParseCommandLineOptions(COUNT(code_generator), code_generator, NULL);
    if (LLVMGetTargetFromTriple(TRIPLE, &target, &message) != 0) {
        fail(TRIPLE, message);
    }
    return LLVMCreateTargetMachine(target, TRIPLE, CPU, FEATURES, LLVM_OPTIMISED, LLVM_STATIC, LLVM_DEFAULT_CODE_MODEL);
}

static bool has_section(LLVMValueRef global)
{
    const char *section = LLVMGetSection(global);
    return section != NULL && section[0] != '\0';
}

/* Private ones have no names that the linker sees: they stay with all others of their kind. */
static void put_in_section(const char *kind, LLVMValueRef global)
{
    if (LLVMIsDeclaration(global) || LLVMGetLinkage(global) == LLVM_PRIVATE || has_section(global)) {
        return;
    }
    size_t length;
    char *section;
    const char *name = LLVMGetValueName2(global, &length);
    if (asprintf(&section, "%s.%.*s", kind, (int)length, name) < 0) {
        fail(name, "no memory");
    }
    LLVMSetSection(global, section);
    free(section);
}

static const char *kind_of(LLVMValueRef variable)
{
    if (LLVMIsDeclaration(variable)) {
        return "";
    }
    if (LLVMIsGlobalConstant(variable)) {
        return ".rodata";
    }
    return LLVMIsNull(LLVMGetInitializer(variable)) ? ".bss" : ".data";
}

/* As -ffunction-sections and -fdata-sections do, so that the linker can leave out what nobody uses. */
static void separate_sections(LLVMModuleRef module)
{
    for (LLVMValueRef at = LLVMGetFirstFunction(module); at != NULL; at = LLVMGetNextFunction(at)) {
        put_in_section(".text", at);
    }
    for (LLVMValueRef at = LLVMGetFirstGlobal(module); at != NULL; at = LLVMGetNextGlobal(at)) {
        put_in_section(kind_of(at), at);
    }
}

static void write_object(const char *bitcode, const char *object)
{
    LLVMModuleRef module = read_bitcode(bitcode);
    LLVMTargetMachineRef machine = chip();
    LLVMSetModuleDataLayout(module, LLVMCreateTargetDataLayout(machine));
    LLVMSetTarget(module, TRIPLE);
    LLVMErrorRef error = LLVMRunPasses(module, "default<Os>", machine, LLVMCreatePassBuilderOptions());
    if (error != NULL) {
        fail(object, LLVMGetErrorMessage(error));
    }
    separate_sections(module);
    char *message = NULL;
    if (LLVMTargetMachineEmitToFile(machine, module, object, LLVM_OBJECT_FILE, &message) != 0) {
        fail(object, message);
    }
}

/* Takes `-o <object>` out of the arguments and returns the object. */
static const char *take_object(char **arguments, size_t *count)
{
    for (size_t i = 0; i + 1 < *count; i++) {
        if (strcmp(arguments[i], "-o") == 0) {
            const char *object = arguments[i + 1];
            memmove(arguments + i, arguments + i + 2, (*count - i - 2) * sizeof *arguments);
            *count -= 2;
            return object;
        }
    }
    fail("usage", "csky-cc <clang's options> -o <object> <source>");
}

int main(int count, char **arguments)
{
    size_t left = (size_t)count - 1;
    const char *object = take_object(arguments + 1, &left);
    char bitcode[] = "/tmp/csky-cc.XXXXXX.bc";
    int file = mkstemps(bitcode, (int)strlen(".bc"));
    if (file < 0) {
        fail(bitcode, "cannot be made");
    }
    close(file);
    run_clang(arguments + 1, left, bitcode);
    write_object(bitcode, object);
    unlink(bitcode);
    return EXIT_SUCCESS;
}
