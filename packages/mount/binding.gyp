{
  'includes': ['../sys/native/binding.gypi'],
  'targets': [{
    'target_name': 'mount',
    'sources': [
      'native/binding.cc', 'native/ops.c', 'native/attributes.c', 'native/bind.c', 'native/copy.c',
      'native/files.c', 'native/filesystem.c',
      'native/mask.c', 'native/move.c', 'native/overlay.c', 'native/root.c', 'native/table.c', 'native/target.c',
      '../sys/native/apply.c', '../sys/native/path.c', '../sys/native/procfs.c',
    ],
  }],
}
