{
  'includes': ['../sys/native/binding.gypi'],
  'targets': [{
    'target_name': 'keys',
    'sources': ['native/binding.cc', 'native/ops.c', 'native/session.c', 'native/keyctl.c', '../sys/native/apply.c', '../sys/native/path.c', '../sys/native/procfs.c'],
  }],
}
